"""A channel to a service: questions go out as signed webhooks (Standard Webhooks 1.0). Answers come in elsewhere, signed by the same secret.

The id of a message follows from what is asked, so that one which is sent twice (after a failure, after a restart) is known as the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Final, Protocol

import msgspec

from doorward.approval.channels.port import ChannelError
from doorward.approval.channels.signature import KeyFormError, Message, key_of, sign
from doorward.approval.question import Question, State
from doorward.approval.shown import asked_arguments
from doorward.approval.tally import needs
from doorward.config.approvals import Webhook as Declared
from doorward.domain.errors import DoorwardError
from doorward.domain.secret import Secret
from doorward.net.addresses import Reach, Rule
from doorward.net.errors import NetError
from doorward.net.fetch import Caps, Fetch, Fetched
from doorward.net.http import Headers
from doorward.wire.canonical import canonical

ARGUMENTS_BYTES: Final = 65_536
"""Larger arguments are left out of a message, which says so: webhooks are small, and the page shows everything."""
_ANSWER_BYTES: Final = 16_384
"""What a service says to a message is not read; that it does not go on for ever is enough."""
_SETTLED: Final[Mapping[State, str]] = {State.EXPIRED: "approval.expired"}


class Told(Enum):
    """How much a service hears of a call."""

    WITHOUT_ARGUMENTS = auto()
    ALL = auto()


class Post(Protocol):
    """The way out (`net.fetch.Fetch`): to checked addresses alone, following nothing, bounded in time and size."""

    async def post(self, url: str, body: bytes, headers: Headers = ()) -> Fetched:
        """The answer; raises `NetError`."""
        ...


@dataclass(frozen=True, slots=True)
class Webhook:
    """One service, as `approvals.webhooks` declares it."""

    name: str
    url: str
    told: Told
    secret: Callable[[], Secret]
    """Read anew at each use; raises a `DoorwardError`."""
    out: Post
    now: Callable[[], float]

    async def tell(self, question: Question, link: str) -> None:
        """Sends `approval.asked`; raises `ChannelError` unless the service says 2xx."""
        fields: dict[str, object] = {
            **_named(question),
            "agent": question.agent,
            "owner": question.owner,
            "upstream": question.upstream,
            "kind": question.kind,
            "name": question.name,
            "reason": question.reason,
            "policies": question.policies,
            "needs": [{"team": need.team, "people": need.people, "owner_may": need.owner_may} for need in needs(question)],
            "reversibility": question.reversibility,
            "expires_at": _time(question.expires_at),
            "link": link,
        }
        await self._send("approval.asked", f"asked_{question.id}_{question.shown_digest[:16]}", {**fields, **self._arguments(question)})

    async def settled(self, question: Question) -> None:
        """Sends `approval.answered` or `approval.expired`; raises `ChannelError`."""
        kind = _SETTLED.get(question.state, "approval.answered")
        await self._send(kind, f"settled_{question.id}", {**_named(question), "state": question.state.value, "by": question.decided_by})

    def _arguments(self, question: Question) -> dict[str, object]:
        if self.told is Told.WITHOUT_ARGUMENTS:
            return {}
        raw = question.edited or canonical(asked_arguments(question))
        return {"arguments": msgspec.Raw(raw)} if len(raw) <= ARGUMENTS_BYTES else {"arguments_bytes": len(raw)}

    async def _send(self, kind: str, message_id: str, fields: Mapping[str, object]) -> None:
        now = self.now()
        body = msgspec.json.encode({"type": kind, "timestamp": _time(now), "data": fields})
        message = Message(message_id, str(int(now)), body)
        headers = (
            ("Content-Type", "application/json"),
            ("webhook-id", message.id),
            ("webhook-timestamp", message.timestamp),
            ("webhook-signature", sign(self._key(), message)),
        )
        try:
            answer = await self.out.post(self.url, body, headers)
        except NetError as error:
            raise ChannelError(f"{error.trouble}: {error}") from error
        if not 200 <= answer.status < 300:
            raise ChannelError(f"expected a status of 2xx, got {answer.status}")

    def _key(self) -> bytes:
        try:
            return key_of(self.secret().reveal())
        except KeyFormError as error:
            raise ChannelError(f"its secret: {error}") from None
        except DoorwardError as error:
            raise ChannelError(f"its secret cannot be read: {error}") from error


def webhooks(declared: Mapping[str, Declared], secret: Callable[[str], Secret], now: Callable[[], float]) -> tuple[Webhook, ...]:
    """The channels that a configuration declares, in its order. `secret`: what a reference leads to, read at each use."""
    return tuple(_webhook(name, rules, secret, now) for name, rules in declared.items())


def _webhook(name: str, rules: Declared, secret: Callable[[str], Secret], now: Callable[[], float]) -> Webhook:
    reach = Reach.PRIVATE if rules.private else Reach.PUBLIC
    schemes = frozenset({"https", "http"} if rules.plain_http else {"https"})
    return Webhook(
        name=name,
        url=rules.url,
        told=Told.ALL if rules.arguments else Told.WITHOUT_ARGUMENTS,
        secret=lambda: secret(rules.secret),
        out=Fetch(Rule(reach, schemes), caps=Caps(body_bytes=_ANSWER_BYTES, seconds=rules.timeout_seconds)),
        now=now,
    )


def _named(question: Question) -> dict[str, object]:
    return {"approval": question.id, "digest": question.shown_digest}


def _time(seconds: float) -> str:
    """RFC 3339, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
