"""How each kind of plan is made into credentials: one `Mint` for one upstream."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, assert_never

import msgspec

from doorward.credentials.assertion import Assertion, AssertionMint
from doorward.credentials.connections.declared import PerUser
from doorward.credentials.fingerprints import Fingerprints
from doorward.credentials.oauth.means import Means
from doorward.credentials.oauth.mints import OAuthMint, Parted
from doorward.credentials.oauth.plans import ClientCredentials
from doorward.credentials.plan import Basic, Certificate, Environment, ForPeople, Nothing, Plan, Process, StaticHeader
from doorward.credentials.port import EVERYBODY, Mint, Minted, Use
from doorward.credentials.process import ProcessMint
from doorward.credentials.static import Holding, StaticMint
from doorward.domain.ids import UpstreamId


class Tools(msgspec.Struct, frozen=True):
    """What mints work with, whatever their plan."""

    reading: Holding
    root: Path
    """What relative paths of references are relative to."""
    fingerprints: Fingerprints
    means: Means
    """What tokens are asked for with."""
    connected: Callable[[PerUser], Mint]
    """What makes credentials of people's own connections (`Connections.mint`)."""


class NoMint(Mint):
    """Nothing is shown besides what TLS shows."""

    is_everybodys: ClassVar[bool] = True

    def holder(self, use: Use) -> str:
        """Everybody's."""
        del use
        return EVERYBODY

    async def mint(self, use: Use) -> Minted:
        """Nothing."""
        del use
        return Minted()


def mint_of(upstream: UpstreamId, plan: Plan, tools: Tools) -> Mint:
    """What makes the credentials of an upstream by its plan."""
    match plan:
        case Nothing() | Certificate():
            return NoMint()
        case StaticHeader() | Basic() | Environment():
            return StaticMint(upstream, plan, tools.reading, tools.root, tools.fingerprints.mark)
        case Process(static=static, token=token):
            fixed = StaticMint(upstream, static, tools.reading, tools.root, tools.fingerprints.mark)
            return ProcessMint(plan, fixed, None if token is None else mint_of(upstream, token, tools))
        case Assertion():
            return AssertionMint(plan, tools.means.sign, tools.means.now, tools.means.draw)
        case ClientCredentials():
            return OAuthMint(plan, tools.means)
        case PerUser():
            return tools.connected(plan)
        case ForPeople(people=people, own=own):
            theirs = tools.connected(people) if isinstance(people, PerUser) else OAuthMint(people, tools.means)
            return Parted(theirs, mint_of(upstream, own, tools))
        case _:
            assert_never(plan)
