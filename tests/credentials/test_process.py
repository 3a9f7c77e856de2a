"""Environments of processes: whose each is, and that nobody's holds anybody else's token."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import msgspec
import pytest

from doorward.config.model import Per, Upstream
from doorward.credentials.plan import Environment, Nothing, Process, kind, plan, pointers
from doorward.credentials.port import CredentialError, Mint, Minted, Use
from doorward.credentials.process import ProcessMint
from doorward.domain.actors import Principal, Subject
from doorward.domain.ids import SubjectId
from doorward.domain.reasons import Reason, Refused
from doorward.domain.secret import Secret
from doorward.identity.own import own
from tests.made import call, principal

pytestmark = pytest.mark.anyio

FIXED = Environment("stdio:git", (("MODE", "${env:MODE}"),))
GIVEN = (("TOKEN", "${credential}"), ("HEADER", "$${x} Bearer ${credential}"))


@dataclass
class Fixed(Mint):
    """Makes the same for everybody."""

    is_current: bool = True
    released: int = 0

    def holder(self, use: Use) -> str:
        return ""

    async def mint(self, use: Use) -> Minted:
        return Minted(
            environment=(("MODE", Secret("fast")),),
            secrets=(Secret("fast"),),
            account="mark",
            renewed_after=60.0,
            is_current=lambda: self.is_current,
            release=self._release,
        )

    async def _release(self) -> None:
        self.released += 1


@dataclass
class Tokens(Mint):
    """Makes each holder's own token."""

    header: str = "Bearer token-of-{}"
    trouble: Exception | None = None
    alone: bool = False
    is_current: bool = True
    released: list[str] = field(default_factory=list)

    def holder(self, use: Use) -> str | None:
        return None if self.alone else use.call.principal.id

    async def mint(self, use: Use) -> Minted:
        if self.trouble is not None:
            raise self.trouble
        whose = use.call.principal.id
        value = Secret(self.header.format(whose))
        return Minted(
            headers=(("Authorization", value),),
            secrets=(value,),
            account=whose,
            scope="read",
            seconds=300.0,
            is_current=lambda: self.is_current,
            release=self._release(whose),
        )

    def _release(self, whose: str) -> Callable[[], Awaitable[None]]:
        async def release() -> None:
            self.released.append(whose)

        return release


class Empty(Mint):
    """Shows nothing."""

    def holder(self, use: Use) -> str:
        return ""

    async def mint(self, use: Use) -> Minted:
        return Minted()


def of(agent: str, subject: str | None = None) -> Use:
    by: Principal = principal(agent)
    return Use(call(by=by if subject is None else replace(by, subject=Subject(SubjectId(subject), frozenset()))))


OWN = Use(call(by=own()))


def press(per: Per, token: Mint | None = None, fixed: Mint | None = None) -> ProcessMint:
    return ProcessMint(Process("stdio:git", per, FIXED, GIVEN if token else (), None), fixed or Fixed(), token)


def same(mint: ProcessMint, *uses: Use) -> list[list[int]]:
    """Which of the uses share a process."""
    holders = [mint.holder(use) for use in uses]
    return [[index for index, holder in enumerate(holders) if holder == one] for one in dict.fromkeys(holders)]


USES = (of("claude", "corp:ada"), of("claude", "corp:bob"), of("cursor", "corp:ada"), of("claude", "corp:ada"), OWN)


@pytest.mark.parametrize(
    ("per", "shared"),
    [
        ("everybody", [[0, 1, 2, 3, 4]]),
        ("agent", [[0, 1, 3], [2], [4]]),
        ("user", [[0, 2, 3], [1], [4]]),
        ("principal", [[0, 3], [1], [2], [4]]),
    ],
)
async def test_processes_are_shared_as_declared(per: Per, shared: list[list[int]]) -> None:
    assert same(press(per), *USES) == shared
    accounts = [(await press(per).mint(use)).account for use in USES]
    assert len(set(accounts)) == len(shared)


def test_names_that_look_like_other_holders_are_nobody_elses() -> None:
    names = [of("own"), of("a", "b"), of("a/b"), of('["own"', '""]'), of("user"), OWN]
    for per in ("agent", "principal"):
        assert same(press(per), *names[:1], *names[2:]) == [[0], [1], [2], [3], [4]]


def test_an_agent_that_acts_for_nobody_is_refused_where_processes_are_for_people() -> None:
    with pytest.raises(Refused) as caught:
        press("user").holder(of("claude"))
    assert caught.value.reason is Reason.NO_CREDENTIAL
    assert caught.value.sentence is not None
    assert "acts for nobody" in caught.value.sentence


async def test_each_environment_holds_its_holders_token_and_what_is_the_same_for_all() -> None:
    made = await press("principal", Tokens()).mint(of("claude", "corp:ada"))
    token = "token-of-claude/corp:ada"
    assert msgspec.structs.replace(made, is_current=None, release=None) == Minted(
        environment=(("MODE", Secret("fast")), ("TOKEN", Secret(token)), ("HEADER", Secret("${x} Bearer " + token))),
        secrets=(Secret("fast"), Secret("Bearer " + token)),
        account='["principal","claude/corp:ada","claude/corp:ada"]',
        scope="read",
        seconds=300.0,
    )


async def test_it_holds_as_long_as_both_parts_and_both_are_given_back() -> None:
    fixed, tokens = Fixed(), Tokens()
    made = await press("principal", tokens, fixed).mint(of("claude", "corp:ada"))
    assert made.is_current is not None
    assert made.release is not None
    assert made.is_current()
    fixed.is_current = False
    assert not made.is_current()
    fixed.is_current, tokens.is_current = True, False
    assert not made.is_current()
    await made.release()
    assert (fixed.released, tokens.released) == (1, ["claude/corp:ada"])


@pytest.mark.parametrize("header", ["Basic dTpw", "Bearer a\0b"])
async def test_what_is_no_token_is_not_put_into_an_environment(header: str) -> None:
    fixed = Fixed()
    with pytest.raises(CredentialError):
        await press("principal", Tokens(header), fixed).mint(of("claude", "corp:ada"))
    assert fixed.released == 1


async def test_what_was_borrowed_is_given_back_where_there_is_no_token() -> None:
    fixed = Fixed()
    with pytest.raises(CredentialError):
        await press("principal", Tokens(trouble=CredentialError("down")), fixed).mint(of("claude", "corp:ada"))
    assert fixed.released == 1


async def test_the_gateway_without_a_token_looks_with_an_empty_one() -> None:
    made = await press("user", Empty()).mint(OWN)
    assert dict(made.environment)["TOKEN"] == Secret("")


def test_a_token_for_one_call_alone_is_no_token_of_a_process() -> None:
    with pytest.raises(Refused):
        press("principal", Tokens(alone=True)).holder(of("claude", "corp:ada"))


def test_the_plan_of_an_upstream_follows_from_who_shares_it_and_what_is_in_its_environment() -> None:
    env = {"MODE": "${env:MODE}", "TOKEN": "${credential}"}
    machine = {
        "kind": "client_credentials",
        "server": {"token_url": "https://login.example.com/t", "client_id": "d", "client_secret": "${env:S}"},
        "resource": "urn:git",
    }
    shared = Upstream.model_validate({"stdio": {"command": ["x"], "env": {"MODE": "${env:MODE}"}}})
    apart = Upstream.model_validate({"stdio": {"command": ["x"], "env": {"MODE": "${env:MODE}"}, "per": "agent"}})
    given = Upstream.model_validate({"stdio": {"command": ["x"], "env": env}, "credential": machine})
    people = {**machine, "kind": "jwt_bearer"}
    each = Upstream.model_validate({"stdio": {"command": ["x"], "env": env, "per": "principal"}, "credential": people})
    assert plan("git", shared, {}) == FIXED
    assert plan("git", apart, {}) == Process("stdio:git", "agent", FIXED, (), None)
    found = plan("git", given, {})
    assert isinstance(found, Process)
    assert (found.per, found.static, found.given) == ("everybody", FIXED, (("TOKEN", "${credential}"),))
    assert (kind(found), [str(one) for one in pointers(found)]) == ("client_credentials", ["${env:MODE}", "${env:S}"])
    for_people = plan("git", each, {})
    assert isinstance(for_people, Process)
    assert kind(for_people) == "jwt_bearer"
    assert getattr(for_people.token, "own", None) == Nothing("stdio:git")
