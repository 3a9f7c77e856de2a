"""What people are shown of a question: the arguments that a yes would let through, and what their class means in a sentence."""

from collections.abc import Mapping

from doorward.approval.question import Question, State
from doorward.domain.catalog import Kind, Reversibility
from doorward.wire.jsonrpc import Limits, parse_object

HELD = Limits(body_bytes=2**24, depth=128, nodes=1_000_000, string_bytes=2**24)
"""Of what a question holds: it was measured when its call came in, or when it was edited."""
EDITABLE = frozenset({Kind.TOOL, Kind.PROMPT})
"""What has arguments of the caller's own; in place of a resource an edit would put another one."""
_BRIEF = 200
"""Characters."""

_SENTENCES: Mapping[str, str] = {
    Reversibility.IRREVERSIBLE: "It cannot be undone, as far as anybody has said.",
    Reversibility.COMPENSABLE: "It cannot be undone, but something else can make up for it.",
    Reversibility.REVERSIBLE: "It changes something that can be changed back.",
    Reversibility.READ: "It reads, and changes nothing.",
}
_WORST_FIRST = tuple(_SENTENCES)


def reversibility(question: Question) -> str:
    """The class of its tool in a sentence; an unknown one is the worst."""
    return _SENTENCES.get(question.reversibility, _SENTENCES[Reversibility.IRREVERSIBLE])


def urgency(question: Question) -> tuple[bool, int, float, str]:
    """The order in which questions are read: those without an answer first, then what is hardest to undo, then the oldest."""
    risk = _WORST_FIRST.index(question.reversibility) if question.reversibility in _SENTENCES else 0
    return question.state is not State.PENDING, risk, question.asked_at, question.id


def call_of(question: Question) -> dict[str, object]:
    """The call as it was asked: method, target, arguments and extras."""
    return parse_object(question.canonical, HELD)


def brief(name: str) -> str:
    """A name as a list has it: the address of a resource may be longer than all the rest of the list."""
    return name if len(name) <= _BRIEF else f"{name[: _BRIEF - 1]}…"


def asked_arguments(question: Question) -> dict[str, object]:
    """The arguments as the agent asked."""
    asked = call_of(question).get("arguments")
    return asked if isinstance(asked, dict) else {}


def arguments(question: Question) -> dict[str, object]:
    """The arguments that a yes would let through now."""
    return asked_arguments(question) if question.edited is None else parse_object(question.edited, HELD)


def facts(question: Question) -> tuple[tuple[str, str], ...]:
    """What a person should know besides the arguments, name and text: it was worked out of what the agent asked, and an edit says so."""
    if question.edited is None:
        return question.facts
    return tuple((f"as the agent asked it: {name}", text) for name, text in question.facts)
