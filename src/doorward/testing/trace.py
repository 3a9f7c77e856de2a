"""What a playbook compares: everything that became of a request, step by step, as plain values.

A step says what matters for the order of things and no more; ids and sentences stand beside it and are not compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from doorward.domain.calls import Fault
from doorward.domain.reasons import Ran, Reason


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf has become durable."""

    type: str
    """`intent`, `outcome`, `refusal`, `list`, or an event's name."""
    said: str = ""
    """Of an intent: `allow`, `ask`, or `observe` (allowed, though policy would deny); of an outcome its status; of a refusal its reason."""
    because: tuple[str, ...] = ()
    """Policies of an intent or refusal; the reason of an outcome."""
    findings: tuple[str, ...] = ()
    """`guard/rule`."""
    call: str = field(default="", compare=False)
    body: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """Something went upstream."""

    upstream: str
    method: str
    params: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class GotNotice:
    """The caller heard something on the way."""

    method: str
    params: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Got:
    """The caller got a result, or the upstream's own error."""

    body: Mapping[str, object] | Fault


@dataclass(frozen=True, slots=True)
class GotRefusal:
    """The caller was refused, as it may know it."""

    reason: Reason
    ran: Ran = Ran.NO
    sentence: str = field(default="", compare=False)
    reference: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Gone:
    """The caller hung up, and its request is over."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The meter counted one more end."""

    upstream: str
    outcome: str


Step = Leaf | Sent | GotNotice | Got | GotRefusal | Gone | Counted
Trace = list[Step]


def leaf(raw: bytes) -> Leaf:
    """The step of a leaf of the log."""
    body: dict[str, Any] = msgspec.json.decode(raw)
    said, because = _said(body)
    findings = tuple(f"{found['guard']}/{found['rule']}" for found in body.get("findings", ()))
    return Leaf(body["type"], said, because, findings, str(body.get("call", "")), body)


def _said(body: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    match body:
        case {"type": "intent", "decision": {"would": {"policies": policies}}}:
            return "observe", tuple(policies)
        case {"type": "intent", "decision": {"effect": effect, "policies": policies}}:
            return effect, tuple(policies)
        case {"type": "outcome", "result": {"status": status, "reason": reason}}:
            return status, (reason,)
        case {"type": "outcome", "result": {"status": status}}:
            return status, ()
        case {"type": "refusal", "decision": {"reason": reason, "policies": policies}}:
            return reason, tuple(policies)
        case _:
            return "", ()
