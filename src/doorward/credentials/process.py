"""The environment of processes that not everybody shares: whose process it is, and the token that it alone has.

LAW: what tells processes apart is the verified principal and the holder of the token, never a text that an agent chose.
"""

import asyncio
from functools import partial
from typing import Final, assert_never

from msgspec.structs import replace

from doorward.config.references import given
from doorward.credentials.plan import Process
from doorward.credentials.port import EVERYBODY, CredentialError, Mint, Minted, Use
from doorward.domain.actors import AuthnMethod
from doorward.domain.errors import DoorwardError
from doorward.domain.leases import Lease
from doorward.domain.reasons import Reason, Refused
from doorward.domain.secret import Secret
from doorward.wire.jsonrpc import dump

_OWN: Final = "own"
_BEARER: Final = "Bearer "


class ProcessMint(Mint):
    """Makes the environments of the processes of one upstream."""

    __slots__ = ("_plan", "_static", "_token")

    def __init__(self, plan: Process, static: Mint, token: Mint | None) -> None:
        """`static` makes what is the same in all of them, `token` what `${credential}` stands for."""
        self._plan, self._static, self._token = plan, static, token

    def holder(self, use: Use) -> str:
        """Whose process a use needs, and with whose token; raises `Refused` NO_CREDENTIAL or CONSENT_NEEDED."""
        whose = self._whose(use)
        token = EVERYBODY if self._token is None else self._token.holder(use)
        if token is None:
            raise _refused(use, "its token is made for one call, and a process lives longer", None)
        return dump([*whose, token]).decode() if whose else token

    async def mint(self, use: Use) -> Minted:
        """The environment for the holder of a use; raises a `DoorwardError` or `Refused`."""
        account = self.holder(use)
        static = await self._static.mint(use)
        if self._token is None:
            return replace(static, account=account)
        try:
            return self._with(static, await self._token.mint(use), account)
        except (DoorwardError, Refused):
            await _released(static)
            raise

    def turned_down(self, use: Use, lease: Lease, challenge: str) -> None:
        """Tells the way that the token was made."""
        if self._token is not None:
            self._token.turned_down(use, lease, challenge)

    def _whose(self, use: Use) -> tuple[str, ...]:
        """Whose process it is; empty: everybody's. The gateway looks with one of its own, which has nobody's token but its own."""
        principal = use.call.principal
        match self._plan.per:
            case "everybody":
                return ()
            case _ if principal.method is AuthnMethod.OWN:
                return (_OWN,)
            case "agent":
                return ("agent", principal.agent.id)
            case "principal":
                return ("principal", principal.id)
            case "user":
                if principal.subject is None:
                    upstream = use.call.target.upstream
                    why = f"The upstream `{upstream}` has a process for each person, and this agent acts for nobody; the call was not made."
                    raise _refused(use, "the agent acts for nobody", why)
                return ("user", principal.subject.id)
            case _:
                assert_never(self._plan.per)

    def _with(self, static: Minted, token: Minted, account: str) -> Minted:
        """One environment out of both. It holds as long as the token: what of the rest has changed, `is_current` tells."""
        value = _value(token)
        variables = tuple((name, Secret(given(text, value))) for name, text in self._plan.given)
        return Minted(
            environment=(*static.environment, *variables),
            secrets=(*static.secrets, *token.secrets),
            account=account or token.account,
            scope=token.scope,
            seconds=token.seconds,
            renewed_after=token.renewed_after,
            is_current=partial(_are_current, static, token),
            release=None if static.release is None and token.release is None else partial(_released, static, token),
        )


def _value(token: Minted) -> str:
    """The token itself; nothing where none is shown. Raises `CredentialError` for what is no bearer token."""
    match token.headers:
        case ():
            return ""
        case ((_, shown),) if shown.reveal().startswith(_BEARER) and "\0" not in shown.reveal():
            return shown.reveal().removeprefix(_BEARER)
        case _:
            raise CredentialError("expected one bearer token, which can be put into an environment")


def _are_current(*made: Minted) -> bool:
    return all(one.is_current is None or one.is_current() for one in made)


async def _released(*made: Minted) -> None:
    """Gives back what can be given back, also where one of them fails; raises a `DoorwardError`."""
    ends = await asyncio.gather(*(one.release() for one in made if one.release is not None), return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end


def _refused(use: Use, detail: str, sentence: str | None) -> Refused:
    return Refused(Reason.NO_CREDENTIAL, f"upstream {use.call.target.upstream}: {detail}", sentence=sentence)
