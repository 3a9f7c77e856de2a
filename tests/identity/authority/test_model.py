"""Whatever clients, thieves and operators do in whatever order: the server against a model of what may be good."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.strategies import integers, sampled_from

from doorward.identity.authority.port import Grant, OAuthError, TokenRequest
from tests.identity.authority.made import SUB_KEY, House

CODE, DAYS = 60, 30 * 86_400


@dataclass
class Grown:
    """What came of one code, as it should be."""

    code: str
    granted_at: float
    opened_at: float | None = None
    is_over: bool = False
    name: str = ""
    tokens: list[str] = field(default_factory=list)
    """Refresh tokens, the good one last."""
    access: list[str] = field(default_factory=list)


class Authority(RuleBasedStateMachine):
    """One server, and everything that was ever given out."""

    known = Bundle("known")
    connected = Bundle("connected")

    @initialize()
    def open(self) -> None:
        self.house = House()
        self.grown: list[Grown] = []

    def run(self, work: object) -> dict[str, object] | str:
        """The answer, or the error."""
        try:
            return asyncio.run(work)  # type: ignore[arg-type]
        except OAuthError as error:
            return error.error

    def keep(self, grown: Grown, answered: dict[str, object] | str, *, is_good: bool) -> None:
        assert isinstance(answered, dict) == is_good, answered
        if isinstance(answered, dict):
            grown.tokens.append(str(answered["refresh_token"]))
            grown.access.append(str(answered["access_token"]))
            grown.name = str(self.house.claims(answered)["fam"])

    def stands(self, grown: Grown) -> bool:
        return grown.opened_at is not None and not grown.is_over and self.house.now < grown.opened_at + DAYS

    def consented(self) -> Grown:
        self.grown.append(Grown(asyncio.run(self.house.code()), self.house.now))
        return self.grown[-1]

    @rule(target=known)
    def consent(self) -> Grown:
        return self.consented()

    @rule(target=connected)
    def connect(self) -> Grown:
        grown = self.consented()
        self.redeemed(grown)
        return grown

    @rule(grown=known | connected)
    def redeem(self, grown: Grown) -> None:
        self.redeemed(grown)

    def redeemed(self, grown: Grown) -> None:
        answered = self.run(self.house.token(self.house.redemption(grown.code)))
        if grown.opened_at is not None:
            self.keep(grown, answered, is_good=False)
            # A code is remembered for a day.
            grown.is_over = grown.is_over or self.house.now < grown.granted_at + CODE + 86_400
            return
        is_good = not grown.is_over and self.house.now < grown.granted_at + CODE
        self.keep(grown, answered, is_good=is_good)
        grown.opened_at = self.house.now if is_good else None

    @rule(grown=known | connected)
    def redeem_without_the_verifier(self, grown: Grown) -> None:
        fields = self.house.redemption(grown.code, code_verifier="w" * 43)
        assert self.run(self.house.token(fields)) == "invalid_grant"

    @rule(grown=connected)
    def refresh(self, grown: Grown) -> None:
        self.keep(grown, self.run(self.house.refreshed(grown.tokens[-1])), is_good=self.stands(grown))

    @rule(grown=connected, number=integers(0, 9))
    def reuse(self, grown: Grown, number: int) -> None:
        old = grown.tokens[:-1]
        if old:
            stood = self.stands(grown)
            self.keep(grown, self.run(self.house.refreshed(old[number % len(old)])), is_good=False)
            grown.is_over = grown.is_over or stood

    @rule(grown=connected)
    def exchange(self, grown: Grown) -> None:
        fields = {
            "grant_type": Grant.EXCHANGE.wire,
            "subject_token": grown.access[-1],
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            **self.house.signed("sub", SUB_KEY),
        }
        answered = self.run(self.house.token(fields))
        if not self.stands(grown):
            assert answered == "invalid_request"
        if isinstance(answered, dict):
            assert self.house.claims(answered)["fam"] == grown.name

    @rule(grown=connected)
    def give_back(self, grown: Grown) -> None:
        fields = {"client_id": "desk", "token": grown.tokens[0]}
        asyncio.run(self.house.server.revoke(TokenRequest(fields, None, None, "192.0.2.1")))
        grown.is_over = True

    @rule(grown=connected)
    def order(self, grown: Grown) -> None:
        asyncio.run(self.house.store.end(grown.name, "operator", self.house.now))
        grown.is_over = True

    @rule(seconds=sampled_from([1, 30, 61, 700, DAYS - 1000]))
    def wait(self, seconds: int) -> None:
        self.house.now += seconds
        asyncio.run(self.house.server.upkeep())

    @invariant()
    def what_is_over_was_told(self) -> None:
        if not hasattr(self, "house"):
            return
        told = {family for family, _ in self.house.ended}
        assert told <= {grown.name for grown in self.grown if grown.is_over}


TestAuthority = Authority.TestCase
TestAuthority.settings = settings(max_examples=150, stateful_step_count=25)
