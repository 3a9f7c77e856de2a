"""The size guard: no message is larger than what somebody would read or send."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from doorward.domain.findings import Finding, Severity
from doorward.inspection.gate import SHORT_BYTES, Gate
from doorward.inspection.view import Carrier, View

NAME = "size"

OVERSIZE = "oversize"

MOST_BYTES: Mapping[Carrier, int] = {
    Carrier.REQUEST: 8 * 2**20,  # what the configuration lets the edge accept at most
    Carrier.RESPONSE: 64 * 2**20,  # what `result_bytes` may be at most; the transport holds the upstream to its own figure
    Carrier.NOTICE: 64 * 2**10,  # a progress or log line; what is longer is a result on a side road
}


class Size:
    """Reports a message that is larger than its carrier should carry."""

    __slots__ = ("_most",)

    name = NAME
    rules: Mapping[str, Severity] = MappingProxyType({OVERSIZE: Severity.HIGH})

    def __init__(self, most_bytes: Mapping[Carrier, int] = MOST_BYTES) -> None:
        """Raises `ValueError` for bounds that short messages might be above: of these it is not asked."""
        if min(most_bytes.values()) < SHORT_BYTES:
            raise ValueError(f"expected bounds of at least {SHORT_BYTES} bytes, got {min(most_bytes.values())}")
        self._most = most_bytes

    def gates(self, carrier: Carrier) -> Sequence[Gate]:
        """None: a short message is within bounds."""
        return ()

    def look(self, view: View) -> tuple[Finding, ...]:
        """One finding about the whole message, or none."""
        if len(view.encoded) <= self._most[view.carrier]:
            return ()
        return (Finding(NAME, OVERSIZE, Severity.HIGH, ""),)
