"""The tickets of the spine: each stage hands out the one that the next asks for. INVARIANT: made only in `call/pipeline.py`."""

from dataclasses import dataclass

from doorward.domain.approvals import Grant
from doorward.domain.calls import Call
from doorward.domain.decisions import Allow, Ask
from doorward.domain.findings import Finding
from doorward.domain.receipts import Intent, Place


@dataclass(frozen=True, slots=True)
class Admitted:
    """The call is not revoked, stopped, over a rate or over its share of concurrency. `epoch` is what `forward` compares again."""

    call: Call
    epoch: int


@dataclass(frozen=True, slots=True)
class Authorized:
    """Policy allows the call, or allows it once approved."""

    admitted: Admitted
    decision: Allow | Ask


@dataclass(frozen=True, slots=True)
class Inspected:
    """Guards have seen the call and every finding has been disposed of."""

    authorized: Authorized
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Clearance:
    """What policy asked for is there: nothing, or a grant for exactly this call."""

    inspected: Inspected
    grant: Grant | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The intent is durable: from here on a credential may be released and bytes may go upstream."""

    clearance: Clearance
    intent: Intent
    place: Place
