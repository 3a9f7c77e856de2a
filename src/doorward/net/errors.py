"""What can go wrong on the way to an upstream and back, and whether anything had been sent by then."""

from enum import StrEnum

from doorward.domain.errors import DoorwardError
from doorward.domain.reasons import Ran


class Trouble(StrEnum):
    """Kinds of failure, as logs and health carry them."""

    EGRESS = "egress"
    """The address may not be connected to."""
    UNREACHABLE = "unreachable"
    TLS = "tls"
    BUSY = "busy"
    """Every connection to this upstream is taken."""
    CONNECT_TIMEOUT = "connect_timeout"
    FIRST_BYTE_TIMEOUT = "first_byte_timeout"
    IDLE_TIMEOUT = "idle_timeout"
    TOTAL_TIMEOUT = "total_timeout"
    CLOSED = "closed"
    """The connection ended before the answer did."""
    GARBAGE = "garbage"
    """What came is not HTTP/1.1, or not as strict as we ask."""
    OVERSIZE = "oversize"
    ENCODED = "encoded"
    """A content coding that we did not ask for."""
    REQUEST = "request"
    """The request itself cannot be written, such as a credential with a line break."""
    SHUT = "shut"
    """We are going down ourselves."""


LATE = frozenset({Trouble.CONNECT_TIMEOUT, Trouble.FIRST_BYTE_TIMEOUT, Trouble.IDLE_TIMEOUT, Trouble.TOTAL_TIMEOUT})


class NetError(DoorwardError):
    """An exchange that did not come to its end. `ran` is `no` only if not one byte of the request was written."""

    def __init__(self, trouble: Trouble, message: str, ran: Ran) -> None:
        super().__init__(message)
        self.trouble = trouble
        self.ran = ran


class EgressError(NetError):
    """An address or scheme that the rule of this upstream does not allow; nothing was sent."""

    def __init__(self, message: str) -> None:
        super().__init__(Trouble.EGRESS, message, Ran.NO)
