"""Whatever clients, thieves and operators do in whatever order: the server against a model of what may be good."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
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

    def pick(self, number: int) -> Grown | None:
        return self.grown[number % len(self.grown)] if self.grown else None

    def keep(self, grown: Grown, answered: dict[str, object] | str, *, is_good: bool) -> None:
        assert isinstance(answered, dict) == is_good, answered
        if isinstance(answered, dict):
            grown.tokens.append(str(answered["refresh_token"]))
            grown.access.append(str(answered["access_token"]))
            grown.name = str(self.house.claims(answered)["fam"])

    def stands(self, grown: Grown) -> bool:
        return grown.opened_at is not None and not grown.is_over and self.house.now < grown.opened_at + DAYS

    @rule()
    def consent(self) -> None:
        code = asyncio.run(self.house.code())
        self.grown.append(Grown(code, self.house.now))

    @rule(number=integers(0, 9))
    def redeem(self, number: int) -> None:
        grown = self.pick(number)
        if grown is None:
            return
        answered = self.run(self.house.token(self.house.redemption(grown.code)))
        if grown.opened_at is not None:
            self.keep(grown, answered, is_good=False)
            grown.is_over = True
            return
        is_good = not grown.is_over and self.house.now < grown.granted_at + CODE
        self.keep(grown, answered, is_good=is_good)
        grown.opened_at = self.house.now if is_good else None

    @rule(number=integers(0, 9))
    def redeem_without_the_verifier(self, number: int) -> None:
        grown = self.pick(number)
        if grown is not None:
            fields = self.house.redemption(grown.code, code_verifier="w" * 43)
            assert self.run(self.house.token(fields)) == "invalid_grant"

    @rule(number=integers(0, 9), which=integers(0, 9))
    def refresh(self, number: int, which: int) -> None:
        grown = self.pick(number)
        if grown is None or not grown.tokens:
            return
        token = grown.tokens[which % len(grown.tokens)]
        is_last = token == grown.tokens[-1]
        stood = self.stands(grown)
        self.keep(grown, self.run(self.house.refreshed(token)), is_good=stood and is_last)
        if stood and not is_last:
            grown.is_over = True

    @rule(number=integers(0, 9), which=integers(0, 9))
    def exchange(self, number: int, which: int) -> None:
        grown = self.pick(number)
        if grown is None or not grown.access:
            return
        fields = {
            "grant_type": Grant.EXCHANGE.wire,
            "subject_token": grown.access[which % len(grown.access)],
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            **self.house.signed("sub", SUB_KEY),
        }
        answered = self.run(self.house.token(fields))
        if not self.stands(grown):
            assert answered == "invalid_request"
        if isinstance(answered, dict):
            assert self.house.claims(answered)["fam"] == grown.name

    @rule(number=integers(0, 9))
    def give_back(self, number: int) -> None:
        grown = self.pick(number)
        if grown is not None and grown.tokens:
            fields = {"client_id": "desk", "token": grown.tokens[0]}
            asyncio.run(self.house.server.revoke(TokenRequest(fields, None, None, "192.0.2.1")))
            grown.is_over = True

    @rule(by=sampled_from(["subject", "client"]))
    def order(self, by: str) -> None:
        server = self.house.server
        asyncio.run(server.revoke_subject("corp:ann", "x") if by == "subject" else server.revoke_client("desk", "x"))
        for grown in self.grown:
            # Codes are void, and so is what came of them. A code that is gone is not known to have been used.
            grown.is_over = True

    @rule(seconds=sampled_from([1, 59, 61, 700, 86_400, DAYS]))
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
TestAuthority.settings = settings(max_examples=60, stateful_step_count=25)
