"""What HTML and CSS have a client load, follow or send, found in tags wherever they stand, well-formed or not.

A tag is read to its end, and in it each attribute that may lead somewhere, also within quotes of another one: a reader who sees the tag
begin elsewhere finds nothing that is not found here.
"""

from collections.abc import Iterator
from functools import cache

import re2

from doorward.inspection.links.places import Manner, Place
from doorward.inspection.links.target import Target, of_markup

_IMAGES = frozenset({"img", "image", "picture", "svg", "feimage", "input", "use"})
_LOADING = _IMAGES | {"link", "base", "script", "object", "embed", "frame", "iframe"}
"""Elements whose `href` the client asks for by itself, or that changes where others lead."""
_FOLLOWED = frozenset({"href", "action", "formaction", "cite", "longdesc"})
_LISTS = frozenset({"srcset", "imagesrcset", "content"})
"""Attributes that hold more than one URL, or a URL among other words."""


def loads(text: str) -> Iterator[Place]:
    """The destinations of tags and styles that a client asks for by itself, or that change where others lead."""
    for tag in _tags().finditer(text):
        written = tag.group()
        if "=" in written:
            yield from _of_tag(written, tag.start())
    for found in _backgrounds().finditer(text):
        yield Place(found.start(1), found.end(1), Manner.IMAGE, of_markup(found.group(1)))
    if _style().search(text) is not None:
        yield from _of_styles(text)
    if _asks().search(text) is not None:
        yield from _of_forms(text)


def _of_forms(text: str) -> Iterator[Place]:
    """Of forms in a text that asks for a secret: what is typed into one is sent by the client, to where no reader looks."""
    for found in _actions().finditer(text):
        group = next((number for number in (1, 2, 3) if found.group(number) is not None), 0)
        if group:
            yield Place(found.start(group), found.end(group), Manner.LOADED, of_markup(found.group(group)))


def links(text: str) -> Iterator[Place]:
    """The destinations of tags that somebody would have to follow, and of URLs in angle brackets."""
    for found in _links().finditer(text):
        group = next((number for number in (1, 2, 3) if found.group(number) is not None), 0)
        if group:
            yield Place(found.start(group), found.end(group), Manner.FOLLOWED, of_markup(found.group(group)))
    for link in _autolinks().finditer(text):
        yield Place(link.start(1), link.end(1), Manner.FOLLOWED, of_markup(link.group(1)))


def _of_tag(written: str, at: int) -> Iterator[Place]:
    name = _name(written)
    # A tag in which another one seems to begin may be the other one to some.
    loads = name in _LOADING or "<" in written[1:]
    for attribute in _attributes().finditer(written):
        word = attribute.group(1).lower().rpartition(":")[2]
        group = next((number for number in (2, 3, 4) if attribute.group(number) is not None), 0)
        if not group:
            continue
        start, value = at + attribute.start(group), attribute.group(group)
        if word in _LISTS:
            yield from _of_list(word, name, value, start)
        else:
            manner = _manner(word, name, "" if loads else name)
            yield Place(start, start + len(value), manner, of_markup(value))


def _of_list(word: str, name: str, value: str, start: int) -> Iterator[Place]:
    """Of an attribute with several URLs, or one behind other words."""
    if word == "content" and name != "meta":
        return
    manner = Manner.IMAGE if word.endswith("srcset") else Manner.LOADED
    for one in (_refresh() if word == "content" else _items()).finditer(value):
        yield Place(start + one.start(1), start + one.end(1), manner, of_markup(one.group(1)))


def _manner(word: str, name: str, harmless: str) -> Manner:
    if word in _FOLLOWED and harmless:
        return Manner.FOLLOWED
    return Manner.IMAGE if word in ("poster", "lowsrc", "dynsrc") or name in _IMAGES else Manner.LOADED


def _of_styles(text: str) -> Iterator[Place]:
    for found in _urls().finditer(text):
        group = 1 if found.group(1) is not None else 2
        yield Place(found.start(group), found.end(group), Manner.LOADED, of_markup(found.group(group)))
    for found in _styles().finditer(text):
        group = 1 if found.group(1) is not None else 2
        value = found.group(group)
        if "\\" in value or "&#" in value or "&lpar" in value.lower():
            # Escapes in a style can spell `url(` and where it leads in ways that are not read here.
            yield Place(found.start(group), found.end(group), Manner.LOADED, Target("", "", value, is_disguised=True))


def _name(written: str) -> str:
    name = _names().match(written)
    return name.group(1).lower().rpartition(":")[2] if name is not None else ""


_IN_TAG = r"""(?:[^"'>=]|=\s*"[^"]*"|=\s*'[^']*'|=|["'])*(?:>|\z)"""
"""What follows the name of a tag, with quotes where they open, to its end or that of the text."""
_VALUE = r"""(?:"([^"]*)"|'([^']*)'|["']?([^\s"'>]+))"""


@cache
def _tags() -> "re2._Regexp":
    names = "img|image|picture|script|i?frame|object|embed|link|video|audio|source|track|input|base|use|svg|feimage|body|meta"
    return re2.compile(rf"(?i)<(?:svg:)?(?:{names})\b{_IN_TAG}")


@cache
def _autolinks() -> "re2._Regexp":
    """Of Markdown: a URL in angle brackets."""
    return re2.compile(r"<([A-Za-z][A-Za-z0-9+.-]*:[^\s<>]*)>")


@cache
def _names() -> "re2._Regexp":
    return re2.compile(r"<([A-Za-z][A-Za-z0-9:-]*)")


@cache
def _attributes() -> "re2._Regexp":
    words = "src|srcset|imagesrcset|poster|lowsrc|dynsrc|data|href|xlink:href|action|formaction|cite|longdesc|content|codebase|manifest"
    return re2.compile(rf"""(?i)[\s"'/]({words})\s*=\s*{_VALUE}""")


@cache
def _links() -> "re2._Regexp":
    return re2.compile(rf"""(?i)[\s"'/](?:xlink:)?(?:href|action|formaction|cite|longdesc|ping)\s*=\s*{_VALUE}""")


@cache
def _asks() -> "re2._Regexp":
    """A field for a password, a code or the number of a card."""
    kinds = r"type\s*=\s*[\"']?password|autocomplete\s*=\s*[\"']?(?:cc-|one-time-code|current-password|new-password)"
    return re2.compile(rf"(?i)<input\b[^<]*(?:{kinds})")


@cache
def _actions() -> "re2._Regexp":
    return re2.compile(rf"""(?i)[\s"'/](?:form)?action\s*=\s*{_VALUE}""")


@cache
def _backgrounds() -> "re2._Regexp":
    return re2.compile(r"""(?i)<[a-z][^<>]*[\s"'/]background\s*=\s*["']?\s*([^\s"'>]+)""")


@cache
def _items() -> "re2._Regexp":
    return re2.compile(r"([^\s,][^\s]*)(?:\s+[0-9.]+[wxh])*")


@cache
def _refresh() -> "re2._Regexp":
    return re2.compile(r"""(?i)^\s*[0-9.]*\s*[;,]\s*(?:url\s*=\s*)?["']?([^"']+)""")


@cache
def _style() -> "re2._Regexp":
    return re2.compile(r"(?i)<style|\sstyle\s*=")


@cache
def _urls() -> "re2._Regexp":
    return re2.compile(r"""(?i)url\(\s*(?:"|'|&quot;|&#39;)?([^"'()\s;]+)|@import\s+["']([^"']+)""")


@cache
def _styles() -> "re2._Regexp":
    return re2.compile(r"""(?i)<[a-z][^<>]*\sstyle\s*=\s*(?:"([^"]*)"|'([^']*)')""")
