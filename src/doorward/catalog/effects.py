"""Whether a changed definition does more to the world than the accepted one: verbs, parameters and annotations that it had not."""

from collections.abc import Iterator, Mapping
from typing import Final

import re2

from doorward.catalog.poison.folding import folded, words

_VERBS = re2.compile(
    r"\b(?:delet|remov|eras|destroy|drop|wip|purg|truncat|overwrit|send|post|publish|upload|forward|e-?mail|transmit|shar|notif|execut|eval|install"
    r"|spawn|launch|deploy|transfer|pay|purchas|refund|charg|withdraw|approv|grant|revok|disabl|shutdown|restart|merg|commit|push"
    r"|order|schedul|creat|updat|modif|writ|renam|mov|insert|invit|subscrib|cancel|kill|terminat|reset|replac|sent|paid|written|ran)"
    r"(?:e|es|ed|ing|s|y|ies|ied|ting|ation)?\b"
)
_STEMS: Final = {"sent": "send", "paid": "pay", "pays": "pay", "written": "writ", "ran": "run", "e-mails": "emai", "e-mail": "emai"}
_REACHING: Final = frozenset(
    "url uri urls endpoint webhook callback host hostname domain address server proxy link href command commands cmd shell script code exec query "
    "sql expression template email emails recipient recipients to cc bcc phone destination dest target upload file path filepath directory".split()
)
"""Words in the name of a parameter that reaches out of the tool, or says what is to be done there."""

_HINTS: Final = {"readOnlyHint": False, "destructiveHint": True, "openWorldHint": True}
"""Annotations and the answer by which a server says that it now does more."""


def has_new_effect(before: Mapping[str, object], after: Mapping[str, object]) -> bool:
    """Whether something that is offered now speaks of an effect of which the accepted definition did not."""
    return bool(_verbs(after) - _verbs(before) or _reaching(after) - _reaching(before)) or _admits_more(before, after)


def _verbs(body: Mapping[str, object]) -> set[str]:
    """The stems of verbs that do something, in the texts that say what the definition is for and what its parameters are."""
    texts = folded("\n".join(_prose(body)))
    return {_STEMS.get(found.group(), found.group()[:4]) for found in _VERBS.finditer(texts)}


def _prose(node: object, key: str = "") -> Iterator[str]:
    match node:
        case str() if key in {"description", "title", "instructions", "name"}:
            yield words(node) if key == "name" else node
        case Mapping():
            for inner, value in node.items():
                yield from _prose(value, inner)
        case list():
            for value in node:
                yield from _prose(value)
        case _:
            pass


def _reaching(node: object) -> set[str]:
    """The names of parameters, anywhere in the schemas, that reach out."""
    found: set[str] = set()
    stack = [node]
    while stack:
        match stack.pop():
            case Mapping() as held:
                properties = held.get("properties")
                names = properties if isinstance(properties, Mapping) else {}
                found.update(name for name in names if not _REACHING.isdisjoint(words(name).split()))
                stack.extend(held.values())
            case list() as items:
                stack.extend(items)
            case _:
                pass
    return found


def _admits_more(before: Mapping[str, object], after: Mapping[str, object]) -> bool:
    """Whether the server itself says that it does more: that is no weakening, and the more to be believed."""
    old, new = before.get("annotations"), after.get("annotations")
    was, now = old if isinstance(old, Mapping) else {}, new if isinstance(new, Mapping) else {}
    return any(now.get(hint) is answer and was.get(hint) is not answer for hint, answer in _HINTS.items())
