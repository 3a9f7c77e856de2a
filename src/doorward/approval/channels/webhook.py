"""A channel to a service: questions go out as signed webhooks (Standard Webhooks 1.0). Answers come in elsewhere, signed by the same secret.

The id of a message follows from what is asked, so that one which is sent twice (after a failure, after a restart) is known as the same.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Final

import msgspec

from doorward.approval.channels.port import ChannelError
from doorward.approval.channels.signed_post import Post, PostError, SignedPost
from doorward.approval.question import Question, State
from doorward.approval.shown import asked_arguments
from doorward.approval.tally import needs
from doorward.config.approvals import Webhook as Declared
from doorward.domain.moments import rfc3339
from doorward.domain.secret import Secret
from doorward.net.addresses import Reach, Rule
from doorward.net.fetch import Caps, Fetch
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


class Webhook(msgspec.Struct, frozen=True):
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
            "expires_at": rfc3339(question.expires_at),
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
        post = SignedPost(self.url, self.secret, self.out, self.now)
        try:
            await post.send(kind, message_id, fields)
        except PostError as error:
            raise ChannelError(str(error)) from error


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
