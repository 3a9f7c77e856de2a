"""What a person who is asked should know besides the arguments: the facts that the asking policies have read. For show alone."""

from collections.abc import Mapping
from itertools import chain, islice

from doorward.domain.calls import Call
from doorward.domain.ids import PolicyId
from doorward.policy.engine import Policies
from doorward.policy.lanes import derived_of
from doorward.policy.project import Unheld
from doorward.policy.question import Moment, facts
from doorward.policy.reads import together
from doorward.policy.session import told as of_session
from doorward.wire.jsonrpc import dump

MOST = 32
"""Facts of one question."""
_VALUE = 256
"""Characters of one value: whoever wants all of it has the arguments."""

_SHOWN_WHOLE = frozenset({"input", "reversibility", "session"})
"""What a question shows in any case, or in sentences of its own."""


def shown(policies: Policies, call: Call, asking: tuple[PolicyId, ...], at: Moment) -> tuple[tuple[str, str], ...]:
    """Each fact of the context that these policies read, arguments left out, as name and text; nothing where a call has none of it."""
    lane = policies.lane(call, call.principal)
    if lane is None:
        return ()
    read = together([policies.rules[position].reads for position in lane.enforced if policies.rules[position].id in asking]).context
    values = facts(call.principal, call.target, at, read)
    if "derived" in read:
        derived = derived_of(lane.action, {"input": call.arguments}).read(read.below("derived"))
        # What cannot be derived has denied the call already.
        values["derived"] = {} if isinstance(derived, Unheld) else derived
    paths = (path for path in read.paths() if path and path[0] not in _SHOWN_WHOLE)
    told = ((".".join(path), _at(values, path)) for path in paths)
    plain = ((name, _text(value)) for name, value in told if value is not None)
    flowed = (
        ()
        if at.session is None or "session" not in read
        else ((name, _text(text)) for name, text in of_session(at.session, read.below("session")))
    )
    return tuple(islice(chain(flowed, plain), MOST))


def _at(value: object, path: tuple[str, ...]) -> object:
    """The value at a path; None where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _text(value: object) -> str:
    """A value as text; one that is no JSON as it prints: it is only looked at, and a call must not fail of it."""
    try:
        text = value if isinstance(value, str) else dump(value).decode()
    except (TypeError, ValueError):
        text = str(value)
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= _VALUE else f"{text[: _VALUE - 1]}…"
