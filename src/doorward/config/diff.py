"""What changed between two documents, in words; of secrets only the names of their references."""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum

from doorward.config.credentials import SECRETS, BasicCredential, HeaderCredential
from doorward.config.facts import MemberFact
from doorward.config.identity import SignIn
from doorward.config.model import Document, Stdio, Upstream
from doorward.config.part import Part
from doorward.config.problems import Step, dotted, quoted
from doorward.config.references import names
from doorward.config.secrets import SECRETS as OF_SOURCES
from doorward.config.secrets import Secrets

SECRET_FIELDS = {
    *((part, field) for part, fields in (*SECRETS.items(), *OF_SOURCES.items()) for field in fields),
    (Secrets, "sources"),
    (Stdio, "env"),
    (SignIn, "client_secret"),
}
"""Fields whose texts may hold references; of these, only references are told."""

CHANGES = 50
"""Changes that one event or message tells; the count of the others follows."""

Teller = Callable[[object], str]


def changes(old: Document, new: Document) -> tuple[str, ...]:
    """A sentence for each field that differs, in the order of the document; none when both say the same."""
    return tuple(_of_parts(old, new, ()))


def summary(sentences: tuple[str, ...]) -> str:
    """The changes as one text of bounded length, for an event or a log line."""
    if not sentences:
        return "nothing changed"
    more = len(sentences) - CHANGES
    return "; ".join([*sentences[:CHANGES], *([f"and {more} more"] if more > 0 else [])])


def _of_parts(old: Part, new: Part, path: tuple[Step, ...]) -> Iterator[str]:
    for field in type(new).model_fields:
        yield from _of_values(getattr(old, field), getattr(new, field), (*path, field), _teller(new, field))


def _of_values(old: object, new: object, path: tuple[Step, ...], tell: Teller) -> Iterator[str]:
    match old, new:
        case Part(), Part() if type(old) is type(new):
            yield from _of_parts(old, new, path)
        case Mapping(), Mapping():
            yield from _of_mappings(old, new, path, tell)
        case _ if old != new:
            before, after = tell(old), tell(new)
            yield f"{dotted(path)}: {before} → {after}" if before != after else f"{dotted(path)}: changed, still {after}"


def _of_mappings(old: Mapping[str, object], new: Mapping[str, object], path: tuple[Step, ...], tell: Teller) -> Iterator[str]:
    for name in dict.fromkeys((*old, *new)):
        inner = (*path, name)
        if name not in new:
            yield f"{dotted(inner)} removed"
        elif name not in old:
            yield f"{dotted(inner)} added: {tell(new[name])}"
        else:
            yield from _of_values(old[name], new[name], inner, tell)


def _teller(part: Part, field: str) -> Teller:
    if (type(part), field) in SECRET_FIELDS:
        return _referred
    return _counted if isinstance(part, MemberFact) and field == "values" else _told


def _referred(value: object) -> str:
    return names(value) if isinstance(value, str) else _told(value)


def _counted(value: object) -> str:
    """A list that may be long, and of customers."""
    return f"{len(value)} values" if isinstance(value, tuple) else _told(value)


def _told(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case Enum():
            return str(value.value)
        case str():
            return quoted(value)
        case int() | float():
            return f"{value:g}" if isinstance(value, float) else str(value)
        case tuple():
            return f"[{', '.join(_told(item) for item in value)}]"
        case _:
            return _headline(value)


def _headline(value: object) -> str:
    """What a new or vanished part is, by what identifies it."""
    match value:
        case Upstream(url=str(url)):
            return quoted(url)
        case Upstream(urls=(first, *others)):
            return f"{quoted(first)} and {len(others)} more"
        case Upstream(stdio=Stdio(command=command)) | Stdio(command=command):
            return f"a process of {quoted(command[0])}"
        case HeaderCredential(header=header, value=text):
            return f"{quoted(header)} from {names(text)}"
        case BasicCredential(username=username, password=password):
            return f"basic from {names(username)} and {names(password)}"
        case Part():
            said = {field: getattr(value, field) for field in type(value).model_fields if field in value.model_fields_set}
            return ", ".join(f"{field} {_teller(value, field)(inner)}" for field, inner in said.items()) or "as by default"
        case _:
            return "a value"
