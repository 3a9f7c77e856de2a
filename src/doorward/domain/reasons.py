"""Why a message is refused: one table, and the one early exit of the spine."""

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from doorward.domain.ids import PolicyId


class Shape(StrEnum):
    """How a refusal of a tool call is told in-band: as a JSON-RPC error, or as a tool result the model can read."""

    ERROR = "error"
    TOOL_RESULT = "tool_result"


class Ran(StrEnum):
    """Whether the upstream may have acted on the call."""

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"


class Reason(StrEnum):
    """Stable names of refusals, as logs, metrics and receipts carry them."""

    MALFORMED = "malformed"
    INVALID_REQUEST = "invalid_request"
    INVALID_PARAMS = "invalid_params"
    HEADER_MISMATCH = "header_mismatch"
    UNSUPPORTED_VERSION = "unsupported_version"
    MISSING_CAPABILITY = "missing_capability"
    UNKNOWN_METHOD = "unknown_method"
    UNAUTHENTICATED = "unauthenticated"
    UNKNOWN_SESSION = "unknown_session"
    UNKNOWN_TARGET = "unknown_target"
    DRIFTED = "drifted"
    REVOKED = "revoked"
    STOPPED = "stopped"
    OVER_RATE = "over_rate"
    OVER_CONCURRENCY = "over_concurrency"
    OVERLOADED = "overloaded"
    OVER_BUDGET = "over_budget"
    RUNAWAY = "runaway"
    FORBIDDEN = "forbidden"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    UNSAFE_REQUEST = "unsafe_request"
    PENDING = "pending"
    REJECTED = "rejected"
    UNRECORDED = "unrecorded"
    GRANT_GONE = "grant_gone"
    CONSENT_NEEDED = "consent_needed"
    NO_CREDENTIAL = "no_credential"
    CREDENTIAL_REFUSED = "credential_refused"
    REVOKED_MEANWHILE = "revoked_meanwhile"
    UPSTREAM_UNREACHABLE = "upstream_unreachable"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    UPSTREAM_BROKEN = "upstream_broken"
    UNSAFE_RESPONSE = "unsafe_response"
    CANCELLED = "cancelled"
    DRAINING = "draining"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Row:
    """What a reason looks like from outside."""

    code: int
    """JSON-RPC code; ours are positive (outside −32768…−32000), the others are the specification's with its meaning."""
    status: HTTPStatus
    """HTTP status towards an exchange-era client; session-era clients get 200 except where PROTOCOL.md §2.3 says otherwise."""
    sentence: str
    shape: Shape = Shape.ERROR


_T = Shape.TOOL_RESULT
_S = HTTPStatus

TABLE: dict[Reason, Row] = {
    Reason.MALFORMED: Row(-32700, _S.BAD_REQUEST, "The message is not well-formed JSON."),
    Reason.INVALID_REQUEST: Row(-32600, _S.BAD_REQUEST, "The message is not a valid JSON-RPC request."),
    Reason.INVALID_PARAMS: Row(-32602, _S.BAD_REQUEST, "The parameters are not valid."),
    Reason.HEADER_MISMATCH: Row(-32020, _S.BAD_REQUEST, "Headers and body do not say the same."),
    Reason.UNSUPPORTED_VERSION: Row(-32022, _S.BAD_REQUEST, "This protocol version is not supported."),
    Reason.MISSING_CAPABILITY: Row(-32021, _S.BAD_REQUEST, "The client lacks a capability that this needs."),
    Reason.UNKNOWN_METHOD: Row(-32601, _S.NOT_FOUND, "This method is not offered."),
    Reason.UNAUTHENTICATED: Row(4010, _S.UNAUTHORIZED, "A valid credential is needed."),
    Reason.UNKNOWN_SESSION: Row(-32600, _S.NOT_FOUND, "This session is not known; initialize again."),
    Reason.UNKNOWN_TARGET: Row(-32602, _S.BAD_REQUEST, "Nothing of this name is offered."),
    Reason.DRIFTED: Row(-32602, _S.BAD_REQUEST, "Nothing of this name is offered."),
    Reason.REVOKED: Row(4010, _S.UNAUTHORIZED, "A valid credential is needed."),
    Reason.STOPPED: Row(4031, _S.FORBIDDEN, "An operator has stopped this. Do not try again until told.", _T),
    Reason.OVER_RATE: Row(4290, _S.TOO_MANY_REQUESTS, "Too many calls. Wait before the next one.", _T),
    Reason.OVER_CONCURRENCY: Row(4291, _S.TOO_MANY_REQUESTS, "Too many calls at once. Wait for one to end.", _T),
    Reason.OVERLOADED: Row(5030, _S.SERVICE_UNAVAILABLE, "The gateway is busy. Try again shortly."),
    Reason.OVER_BUDGET: Row(4292, _S.TOO_MANY_REQUESTS, "A budget is used up. Do not try again before it renews.", _T),
    Reason.RUNAWAY: Row(4293, _S.TOO_MANY_REQUESTS, "This goes in circles. Stop, and do something else.", _T),
    Reason.FORBIDDEN: Row(4030, _S.FORBIDDEN, "Policy does not allow this call with these arguments.", _T),
    Reason.INSUFFICIENT_SCOPE: Row(4034, _S.FORBIDDEN, "The access token is not for this; ask for the scope that is named."),
    Reason.UNSAFE_REQUEST: Row(4220, _S.UNPROCESSABLE_ENTITY, "The request holds something that may not be sent.", _T),
    Reason.PENDING: Row(4280, _S.FORBIDDEN, "A person must approve this call. Ask again later with the same arguments.", _T),
    Reason.REJECTED: Row(4032, _S.FORBIDDEN, "A person has rejected this call.", _T),
    Reason.UNRECORDED: Row(5031, _S.SERVICE_UNAVAILABLE, "The call could not be recorded, so it was not made."),
    Reason.GRANT_GONE: Row(4281, _S.CONFLICT, "The approval for this call is used or has expired.", _T),
    Reason.NO_CREDENTIAL: Row(5032, _S.SERVICE_UNAVAILABLE, "No credential for this upstream is available; the call was not made."),
    Reason.CONSENT_NEEDED: Row(4282, _S.FORBIDDEN, "A person must connect this upstream first. Ask them to, then try again.", _T),
    Reason.CREDENTIAL_REFUSED: Row(5023, _S.BAD_GATEWAY, "The upstream does not accept the credential; the call was not made."),
    Reason.REVOKED_MEANWHILE: Row(4033, _S.FORBIDDEN, "This was stopped or revoked before the call was made."),
    Reason.UPSTREAM_UNREACHABLE: Row(5020, _S.BAD_GATEWAY, "The upstream could not be reached; the call was not made."),
    Reason.UPSTREAM_TIMEOUT: Row(5040, _S.GATEWAY_TIMEOUT, "The upstream did not answer in time; the call may have run."),
    Reason.UPSTREAM_BROKEN: Row(5021, _S.BAD_GATEWAY, "The upstream's answer was broken; the call may have run."),
    Reason.UNSAFE_RESPONSE: Row(5022, _S.BAD_GATEWAY, "The call ran; its result is withheld.", _T),
    Reason.CANCELLED: Row(4990, _S.OK, "The call was cancelled; it may have run."),
    Reason.DRAINING: Row(5033, _S.SERVICE_UNAVAILABLE, "The gateway is going down. Try again on another."),
    Reason.INTERNAL: Row(-32603, _S.INTERNAL_SERVER_ERROR, "The gateway failed."),
}


class Refused(Exception):
    """The only early exit of the spine.

    `sentence` replaces the table's public one (it may name an upstream the caller can see, or a policy's `@reason`);
    `detail` is for operators and receipts only; `extra` goes to the public error's `data` (such as `supported` versions, or `retryAfterSeconds`).
    `reference` is the id of the leaf that records it; the pipeline writes it once that leaf is on its way. `said` is what an upstream said
    in its own words: it may hold anything, so it is shown to operators and never recorded. `challenge` is the `WWW-Authenticate` of an
    upstream that has not accepted a credential.
    """

    __slots__ = ("challenge", "detail", "extra", "policies", "ran", "reason", "reference", "said", "sentence")

    def __init__(
        self,
        reason: Reason,
        detail: str = "",
        *,
        sentence: str | None = None,
        policies: tuple[PolicyId, ...] = (),
        ran: Ran = Ran.NO,
        extra: dict[str, object] | None = None,
    ) -> None:
        super().__init__(reason.value, detail)
        self.reason = reason
        self.detail = detail
        self.sentence = sentence
        self.policies = policies
        self.ran = ran
        self.extra = extra or {}
        self.reference = ""
        self.said = ""
        self.challenge = ""

    def copied(self) -> "Refused":
        """The same for another call: each writes its own reference into it."""
        other = Refused(self.reason, self.detail, sentence=self.sentence, policies=self.policies, ran=self.ran, extra=dict(self.extra))
        other.said, other.challenge = self.said, self.challenge
        return other

    @property
    def public(self) -> str:
        """The sentence an agent may read."""
        return self.sentence if self.sentence is not None else TABLE[self.reason].sentence
