"""What of a text could lead somewhere: addresses, URLs, hosts, account and phone numbers, paths, ids, each in one canonical form. Pure.

`seen` says what a text shows; `asked` what a text would be led by. INVARIANT: a text that is rewritten in a way that leads to the same
place (letter case, spaces in a number, percent-encoding, a final dot, a scheme) is asked for under a name that the other is seen under.
"""

import socket
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import accumulate, combinations
from urllib.parse import unquote_to_bytes

import idna
import re2

_LONGEST = 512
"""Characters of a name that count: two that agree so far are taken for one."""
_MOST_DECODINGS = 3
_LONG_WORD = 20
"""Letters alone are no name of a place, unless it takes so many of them."""
_ID = 8
_DIGITS = 6
_WORD = 64
_MOST_GROUPS = 12
"""Groups of digits that are read as one number; what has more is a table."""
_MOST_PARTS = 16
"""Parts of a host or path by which something is asked for."""
_SHORTEST, _LONGEST_NUMBER = 7, 34
"""Characters of a number in groups: of a short phone number, and of the longest IBAN."""
_PHONE = range(8, 16)
_PHONE_ENDS = 8
"""Digits by which two ways to write a phone number agree, whatever country and trunk codes stand before."""

_APART = "\"'`<>()[]{},;|=&?*"
_PLAIN = bytes.maketrans(_APART.encode() + bytes(range(32)) + b"\x7f\\", b" " * (len(_APART) + 33) + b"/")
_JOINERS = (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x180F), 0x3164)
_UNSEEN = (0xAD, 0x61C, *_JOINERS, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10), 0xFEFF)
_GONE = {
    **dict.fromkeys(_UNSEEN),
    **dict.fromkeys(range(0xE0000, 0xE01F0)),
    **dict.fromkeys(map(ord, "\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a\u3001\u2026"), " "),
    0x3002: ".",
}
_GONE_BYTES = tuple([chr(point).encode() for point in (0xAD, *range(0x200B, 0x2010), 0x2060, 0xFEFF)])
_SPACES = tuple([chr(point).encode() for point in (0xA0, 0x2007, 0x2009, 0x202F)])
_WIDE = (b"\xef\xbc", b"\xf0\x9d")
"""Begin full-width and mathematical forms of letters and digits (UTF-8)."""
_EDGES = ".:;,!-_~/"


def seen(text: str) -> set[str]:
    """The names under which what a text shows is remembered."""
    names: set[str] = set()
    for reading in _readings(text):
        names.update(_of_runs(reading))
        # Most words are plain ones.
        words = set(reading.translate(_PLAIN).split(b" "))
        for word in [word for word in words if not word.isalpha() or len(word) >= _LONG_WORD]:
            names.update(_of_bytes(word))
    return names


def asked(text: str) -> set[str]:
    """The names under which something is looked up that would be led by a text; none for plain words among others."""
    names = seen(text)
    names.update([wider for name in names for wider in _wider(name)])
    word = _read(_decoded(text)).strip().lstrip("@#").casefold()
    if 0 < len(word) <= _WORD and not _is_day(word) and not any(letter.isspace() for letter in word):
        names.add(f"s:{word}")
    return names


def _readings(text: str) -> tuple[bytes, ...]:
    """A text in UTF-8 without its encodings; where backslashes may stand for something else than themselves, in both readings."""
    plain = _decoded(text)
    if not plain.isascii():
        plain = _narrowed(plain)
    if b"\\" not in plain:
        return (plain,)
    escaped = plain
    for mark in b"/_.@-+~#!":
        escaped = escaped.replace(b"\\%c" % mark, b"%c" % mark)
    for letter in b"nrtbf\"'":
        escaped = escaped.replace(b"\\%c" % letter, b" ")
    return (plain, escaped) if escaped != plain else (plain,)


def _decoded(text: str) -> bytes:
    """A text in UTF-8, its percent-encoding read."""
    written = text.encode("utf-8", "surrogatepass")
    for _ in range(_MOST_DECODINGS):
        if b"%" not in written:
            break
        again = unquote_to_bytes(written)
        if again == written:
            break
        written = again
    return written


def _narrowed(text: bytes) -> bytes:
    """What of a text other letters than ASCII may keep from being read as a number: unseen characters, wide digits, other spaces."""
    if any(wide in text for wide in _WIDE):
        text = unicodedata.normalize("NFKC", _read(text)).encode()
    for unseen in _GONE_BYTES:
        text = text.replace(unseen, b"")
    for space in _SPACES:
        text = text.replace(space, b" ")
    return text


def _read(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _of_bytes(word: bytes) -> Iterator[str]:
    """The names of one word in UTF-8; what only looks like one word is several."""
    read = _read(word)
    if word.isascii():
        yield from _of_word(read)
        return
    for one in unicodedata.normalize("NFKC", read.translate(_GONE)).replace("\u3002", ".").split():
        if not one.isalpha() or len(one) >= _LONG_WORD:
            yield from _of_word(one)
        for part in _plain_parts(one):
            yield from _of_word(part)


def _plain_parts(word: str) -> list[str]:
    """What of a word is in ASCII: not every language puts a space between a word and an address, and an arrow or a picture needs none."""
    return [] if word.isascii() else "".join([letter if letter.isascii() else " " for letter in word]).split()


def _of_word(word: str) -> Iterator[str]:
    """The names of one word."""
    bare = word.strip(_EDGES)
    if not bare:
        return
    folded = bare.casefold()
    if folded[0] in "@#":
        yield f"s:{folded[1 : _LONGEST + 1]}"
    elif "@" in folded and "/" not in folded and "://" not in folded:
        yield from _address(folded)
    elif "@" in folded or "://" in folded or _is_dotted(folded):
        yield from _url(folded)
    else:
        yield from _path(folded)
        yield from _ident(folded)
    for part in _labelled(folded):
        yield from _of_word(part)


def _labelled(word: str) -> list[str]:
    """What stands behind the colons of a word, where somebody has left out a space: `site:evil.example`."""
    return [] if "@" in word or "://" in word else word.split(":")[1:]


def _address(word: str) -> Iterator[str]:
    """An e-mail address, without what its owner may add to it."""
    local, _, domain = word.rpartition("@")
    local = local.rpartition("/")[2].rpartition(":")[2].partition("+")[0]
    host = _host(domain)
    if local and host:
        yield f"a:{local}@{host}"[:_LONGEST]


def _url(word: str) -> Iterator[str]:
    """A URL, with or without its scheme: its host, the whole, and the ids in its path; of one that names a mailbox, that as well."""
    if "@" in word:
        yield from _address(word)
    # A URL may stand in the path of another one, and whoever is asked for it is the first.
    first, *others = word.split("://")
    for one in others or (first,):
        yield from _place(one)


def _place(written: str) -> Iterator[str]:
    """A URL without its scheme."""
    authority, _, path = written.partition("#")[0].partition("/")
    host = _host(authority.rpartition("@")[2])
    if not host:
        return
    yield f"h:{host}"
    parts = [part for part in path.split("/") if part]
    if parts:
        yield f"u:{host}/{'/'.join(parts)}"[:_LONGEST]
    for part in (host, *parts):
        yield from _ident(part)


def _is_dotted(word: str) -> bool:
    """Whether it begins with what may be a host or the name of a file, and not with a number."""
    host = word.partition("/")[0].partition(":")[0]
    first, dot, last = host.rpartition(".")
    if not (dot and first and last):
        return False
    return any(letter.isalpha() for letter in last) or (host.count(".") == 3 and host.replace(".", "").isdecimal())


def _host(written: str) -> str:
    """A host in its one form, without its port; what is none in itself stays as it is."""
    host = written.partition("/")[0].partition(":")[0].strip(".")
    host = host.removeprefix("www.")
    if not host.isascii():
        return _international(host)
    return _numeric(host) if host.rpartition(".")[2][:1].isdecimal() else host


def _numeric(host: str) -> str:
    """An IPv4 address as four numbers, for those who are given one as a single number or in hexadecimal dial the same (inet_aton)."""
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return host


def _international(host: str) -> str:
    """A host with its international labels as the DNS has them (UTS 46)."""
    try:
        return idna.encode(host, uts46=True, transitional=False).decode()
    except (UnicodeError, ValueError, IndexError):
        return host


def _path(word: str) -> Iterator[str]:
    """The path of a file: what begins with letters, not with a date or a fraction."""
    parts = [part for part in word.split("/") if part not in {"", "."}]
    if len(parts) > 1 and any(letter.isalpha() for letter in word):
        yield f"f:{'/'.join(parts)}"[:_LONGEST]
        for part in parts:
            yield from _ident(part)


def _ident(word: str) -> Iterator[str]:
    """An account number, key or other id: letters and digits, whatever stands between them."""
    name = word if word.isalnum() else "".join(filter(str.isalnum, word))
    if name.isdecimal():
        if len(name) in _PHONE and not _is_day(word):
            yield f"p:{name[-_PHONE_ENDS:]}"
        digits = len(name)
    else:
        digits = sum(map(str.isdecimal, name))
    if _is_id(name, digits) and not _is_day(word):
        yield f"i:{name}"[:_LONGEST]


def _is_id(name: str, digits: int) -> bool:
    return digits >= _DIGITS or (digits > 0 and len(name) >= _ID) or len(name) >= _LONG_WORD


def _is_day(word: str) -> bool:
    """Whether it begins as a date does (ISO 8601): those lead nowhere, and everybody writes the same ones."""
    return word[4:5] == "-" and word[7:8] == "-" and word[:4].isdecimal() and word[5:7].isdecimal() and word[:2] in {"19", "20"}


def _of_runs(text: bytes) -> Iterator[str]:
    """The names of numbers that are written in groups, a space, hyphen, dot or bracket apart."""
    for written in {_read(found.group()) for found in _runs().finditer(text)}:
        if not _is_day(written):
            yield from _of_groups(_groups(written))


def _of_groups(groups: list[str]) -> Iterator[str]:
    """Of a run of groups the whole and, as other numbers may stand beside, each part of it; what has too many groups is a table."""
    if len(groups) > _MOST_GROUPS:
        return
    whole, ends = "".join(groups), [0, *accumulate(map(len, groups))]
    for first, last in combinations(ends, 2):
        if _SHORTEST <= last - first <= _LONGEST_NUMBER:
            yield from _ident(whole[first:last])


def _groups(run: str) -> list[str]:
    return "".join([letter if letter.isalnum() else " " for letter in run]).casefold().split()


@cache
def _runs() -> "re2._Regexp":
    """Groups with digits in them (or four capital letters, as in an IBAN), a space, hyphen, dot or bracket apart."""
    group = r"(?:[0-9A-Za-z]*[0-9][0-9A-Za-z]*|[A-Z]{4})"
    return re2.compile(rf"[0-9A-Za-z]*[0-9][0-9A-Za-z]*(?:[ .()/-]{{1,3}}{group})+".encode())


def _wider(name: str) -> Iterator[str]:
    """What leads to the same party by another name: the hosts above a host, the paths above a path, and the hosts of both."""
    kind, _, rest = name.partition(":")
    if kind == "h":
        labels = rest.split(".")[-_MOST_PARTS:]
        yield from (f"h:{'.'.join(labels[first:])}" for first in range(1, len(labels) - 1))
    elif kind == "u":
        parts = rest.split("/")[:_MOST_PARTS]
        yield from (f"u:{'/'.join(parts[:last])}" for last in range(2, len(parts)))
