"""What connections ask of the house, and what they give to whoever shows them to people."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from doorward.credentials.connections.connection import Holder, Place
from doorward.credentials.connections.store import ConnectionStore
from doorward.credentials.oauth.plans import Way
from doorward.credentials.port import CredentialError
from doorward.domain.ids import AgentId, SubjectId, UpstreamId
from doorward.domain.receipts import Event
from doorward.domain.secret import Secret
from doorward.net.fetch import Web

CALLBACK_PATH = "/connections/callback"
"""Where services send people back to, on the data listener."""
CLIENT_PATH = "/connections/client.json"
"""Where our client document is, on the data listener."""
BEGUN_SECONDS = 600.0
"""How long a person may take at the service."""


class Trouble(StrEnum):
    """Why nothing was connected."""

    AGAIN = "again"
    """It did not fit together, took too long, or is of another browser or person: to be begun again."""
    DECLINED = "declined"
    """The person, or the service, said no."""
    BROKEN = "broken"
    """The service, or its declaration, cannot be used: for an operator."""
    UNKNOWN = "unknown"
    """No such upstream takes accounts of people's own."""
    BARRED = "barred"
    """The person is stopped or revoked."""


class ConnectError(CredentialError):
    """Nothing was connected: `public` is a sentence for the person, the message is for operators."""

    def __init__(self, trouble: Trouble, detail: str) -> None:
        super().__init__(detail)
        self.trouble = trouble

    @property
    def public(self) -> str:
        """What the person may read."""
        return _PUBLIC[self.trouble]


_PUBLIC = {
    Trouble.AGAIN: "This did not fit together; please begin again.",
    Trouble.DECLINED: "The service did not connect the account.",
    Trouble.BROKEN: "The service could not be used; an operator of this gateway can read why.",
    Trouble.UNKNOWN: "Nothing of this name takes an account of yours.",
    Trouble.BARRED: "You cannot connect anything at the moment; an operator of this gateway can say why.",
}


@dataclass(frozen=True, slots=True)
class Begun:
    """What must be remembered by the one browser that began, sealed, until it is sent back. It is used once.

    Plain values, so that it can be sealed into a cookie.
    """

    holder: str
    upstream: str
    agent: str
    redirect_uri: str
    issuer: str
    """The authorization server that the browser was sent to; `finish` asks no other."""
    client_id: str
    audience: str
    """Where the upstream was, as the person was shown it."""
    resource: str
    scopes: tuple[str, ...]
    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    at: float
    """Unix seconds."""
    names_itself: bool
    """The server had said that it says `iss` in its answer (RFC 9207)."""


class Ask(msgspec.Struct, frozen=True):
    """A call could not go on without a connection, or without more scopes: what its link leads to."""

    reference: str
    """Names it in a link: hard to guess, and no secret, for whoever follows it must sign in as its holder."""
    place: Place
    agent: AgentId
    """Whose call it was, the last time."""
    scopes: tuple[str, ...]
    """What the upstream asked for besides what is granted; empty for what is usual."""


class Offer(msgspec.Struct, frozen=True):
    """An upstream that a person can connect."""

    upstream: UpstreamId
    url: str
    host: str
    """Whom the person deals with; empty for a process."""
    scopes: tuple[str, ...]
    """What is asked for, where the configuration says it; empty: as the upstream says."""


class Prospect(msgspec.Struct, frozen=True):
    """What a person is about to agree to."""

    issuer: str
    """The authorization server that the browser goes to."""
    scopes: tuple[str, ...]
    """What it will be asked for; empty: nothing is said of it, and the service decides."""


class Ourselves(msgspec.Struct, frozen=True):
    """Doorward as a client, as services may read of it."""

    name: str
    redirect_uris: tuple[str, ...]
    """Where people come back to; those that `begin` is given are among them."""
    document_url: str | None
    """Where our client document is, if the world can fetch it there (https); None: we have none to show."""


class Means(msgspec.Struct, frozen=True):
    """What connections are made with."""

    store: ConnectionStore
    resolve: Callable[[str], Secret]
    """Gives a text with every reference replaced; raises a `DoorwardError` whose message names the reference, never a value."""
    web: Callable[[Way], Web]
    """What fetches from whoever may be reached in this way; raises `NetError`. Asked once for each upstream and document."""
    now: Callable[[], float]
    """Unix seconds."""
    monotonic: Callable[[], float]
    draw: Callable[[int], bytes]
    new_id: Callable[[], str]
    mark: Callable[[str], str]
    """A keyed hash that says nothing of the text to who has not the key (as `Recorder.pseudonym`)."""
    told: Callable[[Event], Awaitable[object]]
    """Writes an event to the log; raises a `DoorwardError` where it cannot."""
    is_barred: Callable[[Holder, AgentId], bool]
    """Whether a person or agent is stopped or revoked at this moment. The agent may be `EVERY_AGENT`."""
    ourselves: Callable[[], Ourselves]


def person_of(subject: SubjectId | None, mark: Callable[[str], str]) -> str:
    """How the log names the holder: a pseudonym, or the gateway itself."""
    return "doorward" if subject is None else mark(subject)
