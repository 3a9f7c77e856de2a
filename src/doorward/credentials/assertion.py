"""Per-call assertions: a JWT that Doorward signs for one call of one upstream, valid for seconds (RFC 7519, RFC 7515).

It says who acts, for whom, which tool with which arguments, and under which receipt; the upstream verifies it with Doorward's public
keys and needs no secret of its own. It is of no use for another call: name and arguments are part of it.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from doorward.credentials.chain import acting
from doorward.credentials.port import Mint, Minted, Sign, Use
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind
from doorward.domain.secret import Secret
from doorward.wire.canonical import canonical, sha256

TYPE: Final = "doorward-call+jwt"
"""The `typ` of its header: no other JWT of ours is taken for it, nor it for any other (RFC 8725 §3.11)."""

ACCOUNT: Final = "assertion"
_ID_BYTES: Final = 12


class Assertion(msgspec.Struct, frozen=True):
    """What the configuration says of the assertions for one upstream."""

    audience: str
    """The upstream's origin, as receipts name it."""
    header: str
    whom: str
    """The `aud` of each: the upstream as it calls itself."""
    seconds: int
    """How long each is valid."""


@dataclass(frozen=True, slots=True)
class AssertionMint(Mint):
    """Signs for each call anew."""

    plan: Assertion
    sign: Sign
    now: Callable[[], float]
    draw: Callable[[int], bytes]

    def holder(self, use: Use) -> str | None:
        """Nobody's but the call's."""
        del use
        return None

    async def mint(self, use: Use) -> Minted:
        """An assertion about one call; raises a `DoorwardError`."""
        token = self.sign(self._claims(use.call), TYPE).reveal()
        scheme = "Bearer " if self.plan.header.lower() == "authorization" else ""
        # Of each token its head is the same and no other text's: whoever repeats one of them is found by it. The dot says that it is a
        # head: what stands behind it is withheld with it, else anybody who knows heads could put the token together again.
        head = Secret(token.partition(".")[0] + ".")
        return Minted(
            headers=((self.plan.header, Secret(scheme + token)),),
            secrets=(head,),
            account=ACCOUNT,
            scope=use.call.method,
            seconds=float(self.plan.seconds),
        )

    def _claims(self, call: Call) -> dict[str, object]:
        now, principal = int(self.now()), call.principal
        claims: dict[str, object] = {
            "aud": self.plan.whom,
            "iat": now,
            "exp": now + self.plan.seconds,
            "jti": urlsafe_b64encode(self.draw(_ID_BYTES)).decode(),
            "sub": principal.agent.id if principal.subject is None else principal.subject.id,
            "agent": principal.agent.id,
            "team": principal.agent.team,
            "receipt": call.id,
            "method": call.method,
            **_named(call),
        }
        if principal.subject is not None or principal.actors:
            claims["act"] = acting(principal)
        return claims


def _named(call: Call) -> Mapping[str, object]:
    """What is called: `tool` or `prompt` with the digest of its arguments, `resource` by its URI; nothing for the gateway's own looks."""
    match call.target.kind:
        case Kind.TOOL | Kind.PROMPT as kind:
            return {kind.value: call.target.name, "arguments_sha256": sha256(canonical(call.arguments))}
        case Kind.RESOURCE | Kind.TEMPLATE:
            uri = call.arguments.get("uri")
            return {"resource": uri} if isinstance(uri, str) else {}
        case _:
            return {}
