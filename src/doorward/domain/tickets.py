"""The tickets of the spine: each stage hands out the one that the next asks for. INVARIANT: made only in `call/pipeline.py`."""

from doorward.domain.approvals import Grant
from doorward.domain.calls import Call
from doorward.domain.decisions import Allow, Ask
from doorward.domain.findings import Finding
from doorward.domain.receipts import Intent
from doorward.domain.record import record


@record(frozen=True, slots=True)
class Admitted:
    """The call is not revoked, stopped, over a rate or over its share of concurrency. `epoch` is what `forward` compares again."""

    call: Call
    epoch: int


@record(frozen=True, slots=True)
class Authorized:
    """Policy allows the call, or allows it once approved."""

    admitted: Admitted
    decision: Allow | Ask


@record(frozen=True, slots=True)
class Inspected:
    """Guards have seen the call and every finding has been disposed of."""

    authorized: Authorized
    findings: tuple[Finding, ...]


@record(frozen=True, slots=True)
class Clearance:
    """What policy asked for is there: nothing, or a grant for exactly this call."""

    inspected: Inspected
    grant: Grant | None


@record(frozen=True, slots=True)
class Recorded:
    """The intent is durable: from here on a credential may be released and bytes may go upstream."""

    clearance: Clearance
    intent: Intent
