"""Lists that stand in files of their own beside the document, read together with it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from doorward.config.facts import FactRule, MemberFact
from doorward.config.model import Document, ToolRule, Upstream
from doorward.domain.errors import DoorwardError

BYTES = 2**20
"""Of one file: some fifty thousand values."""


class ListError(DoorwardError):
    """A list that cannot be used."""


def read_list(root: Path, file: str) -> tuple[str, ...]:
    """The values of a file with one on each line; empty lines and those that begin with `#` are none. Raises `ListError`."""
    try:
        with (root / file).open("rb") as opened:
            raw = opened.read(BYTES + 1)
    except OSError as error:
        raise ListError(f"the list {root / file} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ListError("expected the path of a file") from None
    if len(raw) > BYTES:
        raise ListError(f"expected a list of at most {BYTES} bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ListError(f"expected UTF-8, byte {error.start + 1} of the list is not") from None
    stripped = (line.strip() for line in text.splitlines())
    return tuple(line for line in stripped if line and not line.startswith("#"))


def filled(document: Document, root: Path) -> Document:
    """The document with the values of its lists in place; one that cannot be read, which `check_facts` tells, stays without."""
    upstreams = {name: _of_upstream(upstream, root) for name, upstream in document.upstreams.items()}
    if all(upstream is document.upstreams[name] for name, upstream in upstreams.items()):
        return document
    return document.model_copy(update={"upstreams": upstreams})


def declared(upstreams: Mapping[str, Upstream]) -> Iterator[tuple[str, str, str, FactRule]]:
    """Every fact with the names of its upstream, its tool and itself."""
    tools = ((upstream, tool, rule) for upstream, rules in upstreams.items() for tool, rule in rules.tools.items())
    return ((upstream, tool, name, fact) for upstream, tool, rule in tools for name, fact in rule.facts.items())


def files(document: Document, root: Path) -> tuple[Path, ...]:
    """The files that lists are read from, each once, sorted: what is watched besides the document and the policies."""
    rules = (fact for *_, fact in declared(document.upstreams))
    return tuple(sorted({root / fact.file for fact in rules if isinstance(fact, MemberFact) and fact.file is not None}))


def _of_upstream(upstream: Upstream, root: Path) -> Upstream:
    tools = {name: _of_tool(rule, root) for name, rule in upstream.tools.items()}
    if all(rule is upstream.tools[name] for name, rule in tools.items()):
        return upstream
    return upstream.model_copy(update={"tools": tools})


def _of_tool(rule: ToolRule, root: Path) -> ToolRule:
    if not any(isinstance(fact, MemberFact) and fact.file is not None for fact in rule.facts.values()):
        return rule
    return rule.model_copy(update={"facts": {name: _of_fact(fact, root) for name, fact in rule.facts.items()}})


def _of_fact(fact: FactRule, root: Path) -> FactRule:
    if not isinstance(fact, MemberFact) or fact.file is None:
        return fact
    try:
        return fact.model_copy(update={"values": read_list(root, fact.file)})
    except ListError:
        return fact
