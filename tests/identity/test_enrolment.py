"""An identity leads to the agent it is bound to, or becomes one by a rule, or nobody."""

import anyio
import pytest

from doorward.config.identity import Enrol
from doorward.domain.actors import Agent, AuthnMethod, Principal
from doorward.domain.ids import AgentId, InstanceId, TeamId
from doorward.domain.reasons import Reason, Refused
from doorward.domain.receipts import Event
from doorward.identity.chain import Chain, NotYetError, Presented
from doorward.identity.enrolment import Enrolment
from doorward.identity.identities import client, parse
from doorward.identity.records import NEVER, Edit, Terms
from doorward.identity.registry import Registry
from tests.identity.enrolling import Gatehouse, rule
from tests.identity.stores import Draws

pytestmark = pytest.mark.anyio

BOT, JOB = client("corp", "bot-1"), client("corp", "job-1")
TOKEN, CERTIFICATE, KEY = AuthnMethod.ACCESS_TOKEN, AuthnMethod.CERTIFICATE, AuthnMethod.AGENT_KEY
CLAUDE = Agent(AgentId("claude"), "ada", TeamId("support"), "client")
UNAUTHENTICATED, REVOKED = Reason.UNAUTHENTICATED, Reason.REVOKED


class Clients:
    """A source that takes the client's name for its token."""

    def __init__(self, enrolment: Enrolment) -> None:
        self._enrolment = enrolment

    def identify(self, presented: Presented) -> Principal:
        name = str(presented.authorization).removeprefix("Bearer ")
        agent = self._enrolment.agent(client("corp", name), TOKEN, {})
        return Principal(agent, None, (), TOKEN, InstanceId(name), name, presented.network)


async def known(*rules: Enrol, methods: frozenset[AuthnMethod] = frozenset({TOKEN}), expires_at: float = NEVER) -> Gatehouse:
    """A gatehouse where the client `bot-1` is claude."""
    at = Gatehouse(*rules)
    await at.registry.enter(CLAUDE, expires_at, Terms(methods=methods, identities=(BOT,), enrolled_by="operator ada"))
    return at


async def test_a_bound_identity_is_its_agent_and_is_seen() -> None:
    at = await known()
    assert await at.comes(BOT) is CLAUDE
    record = at.registry.agent(CLAUDE.id)
    assert record is not None
    assert (record.seen_at, at.events) == (at.clock.at, [])


async def test_a_valid_identity_that_is_not_registered_is_refused() -> None:
    at = await known(rule(issuer="corp", client="other-*"))
    assert await at.refused(JOB) == (UNAUTHENTICATED, "'client:corp:job-1' is not registered, and no rule enrols it")
    assert await at.refused(client("other", "bot-1")) == (UNAUTHENTICATED, "'client:other:bot-1' is not registered, and no rule enrols it")
    assert len(at.registry.agents()) == 1


async def test_an_agent_that_is_kept_out_or_has_ended_or_comes_another_way_is_refused() -> None:
    at = await known(expires_at=1_000_060.0)
    at.clock.at = 1_000_000.0
    assert await at.refused(BOT, CERTIFICATE) == (UNAUTHENTICATED, "agent claude may prove itself by access_token, not by certificate")
    await at.registry.suspend(CLAUDE.id)
    assert await at.refused(BOT) == (REVOKED, "agent claude is suspended")
    await at.registry.resume(CLAUDE.id)
    await at.registry.owner_left("ada")
    assert await at.refused(BOT) == (REVOKED, "agent claude is suspended: its owner 'ada' has left")
    await at.registry.edit(CLAUDE.id, Edit(owner="ben"))
    await at.registry.resume(CLAUDE.id)
    at.clock.at = 1_000_060.0
    assert await at.refused(BOT) == (UNAUTHENTICATED, "agent claude has expired")
    await at.registry.revoke(CLAUDE.id)
    assert await at.refused(BOT) == (REVOKED, "agent claude is revoked")


async def test_an_agent_known_by_name_is_held_to_the_same() -> None:
    at = await known()
    assert at.enrolment.standing(CLAUDE.id, TOKEN) is CLAUDE
    await at.registry.suspend(CLAUDE.id)
    for name, method, reason in ((CLAUDE.id, TOKEN, REVOKED), (AgentId("nobody"), TOKEN, UNAUTHENTICATED)):
        with pytest.raises(Refused) as caught:
            at.enrolment.standing(name, method)
        assert caught.value.reason is reason
    await at.registry.resume(CLAUDE.id)
    with pytest.raises(Refused):
        at.enrolment.standing(CLAUDE.id, KEY)


async def test_a_rule_enrols_an_identity_once_its_leaf_is_durable() -> None:
    at = Gatehouse(rule(issuer="corp", client="bot-*", claims={"dept": "eng"}, kind="job", purpose="Runs jobs.", days=1))
    with pytest.raises(NotYetError):
        at.enrolment.agent(BOT, TOKEN, {"dept": "eng"})
    assert at.registry.agents() == ()
    agent = await at.comes(BOT, claims={"dept": "eng"})
    assert agent == Agent(AgentId("bot-1"), "ada", TeamId("ci"), "job")
    assert at.events == [
        Event(
            "agent_enrolled",
            "doorward",
            {
                "agent": "bot-1",
                "identity": "client:corp:bot-1",
                "rule": "client:corp:bot-* with dept='eng' as {name}",
                "team": "ci",
                "owner": "ada",
                "kind": "job",
                "methods": "access_token",
            },
        )
    ]
    again = Registry(at.store, Draws(), at.clock)
    await again.load()
    record = again.by_identity(BOT)
    assert record is not None
    assert (record.agent, record.purpose, record.methods, record.expires_at, record.enrolled_by) == (
        agent,
        "Runs jobs.",
        frozenset({TOKEN}),
        at.clock.at + 86_400,
        "rule client:corp:bot-* with dept='eng' as {name}",
    )


async def test_the_first_rule_that_takes_an_identity_counts() -> None:
    at = Gatehouse(rule(issuer="corp", client="job-*", team="jobs"), rule(issuer="corp", team="rest"), rule(issuer="corp", team="never"))
    assert [(await at.comes(one)).team for one in (JOB, BOT)] == ["jobs", "rest"]


async def test_nobody_is_enrolled_while_the_log_cannot_be_written() -> None:
    at = Gatehouse(rule(issuer="corp"))
    at.broken = True
    assert await at.refused(BOT) == (UNAUTHENTICATED, "'client:corp:bot-1' could not be enrolled: no space")
    assert (at.registry.agents(), at.store.agents) == ((), {})


async def test_nobody_is_enrolled_while_the_store_fails_and_the_log_is_told_so() -> None:
    at = Gatehouse(rule(issuer="corp"))
    at.store.fails = True
    assert await at.refused(BOT) == (UNAUTHENTICATED, "'client:corp:bot-1' could not be enrolled: the store is away")
    assert [event.type for event in at.events] == ["agent_enrolled", "change_failed"]
    assert at.registry.agents() == ()


async def test_calls_that_come_at_once_enrol_an_identity_once() -> None:
    at = Gatehouse(rule(issuer="corp"))
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(at.comes, BOT)
    assert [event.type for event in at.events] == ["agent_enrolled"]


async def test_a_caller_that_hangs_up_does_not_leave_a_leaf_without_its_agent() -> None:
    at = Gatehouse(rule(issuer="corp"))
    at.store.gate = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(at.comes, BOT)
        await at.store.waiting.wait()
        tasks.cancel_scope.cancel()
        at.store.gate.set()
    assert at.registry.by_identity(BOT) is not None


async def test_a_rule_never_gives_an_identity_to_an_agent_that_an_operator_made() -> None:
    for template in ("claude", "{name}"):
        at = Gatehouse(rule(issuer="corp", agent=template))
        await at.registry.add(CLAUDE, NEVER, 60.0)
        assert await at.refused(client("corp", "claude")) == (
            UNAUTHENTICATED,
            "'client:corp:claude' could not be enrolled: agent 'claude' is there already, and not for this identity; an operator may bind it",
        )
        assert at.events == []


async def test_a_rule_never_gives_an_identity_to_an_agent_of_another_rule() -> None:
    at = Gatehouse(rule(issuer="corp", client="a*", agent="shared"), rule(issuer="corp", client="b*", agent="shared"))
    await at.comes(client("corp", "a"))
    reason, detail = await at.refused(client("corp", "b"))
    assert (reason, "is there already" in detail) == (UNAUTHENTICATED, True)


async def test_an_agent_for_each_identity_is_never_shared_by_two_that_come_to_one_name() -> None:
    at = Gatehouse(rule(spiffe="spiffe://example.org/*"))
    first, second = parse("spiffe://example.org/a/bot"), parse("spiffe://example.org/b/bot")
    await at.comes(first, CERTIFICATE)
    reason, detail = await at.refused(second, CERTIFICATE)
    assert (reason, "is there already" in detail) == (UNAUTHENTICATED, True)
    await at.registry.bind(AgentId("bot"), second)
    assert (await at.comes(second, CERTIFICATE)).id == "bot"


async def test_one_agent_for_all_gets_every_identity_that_the_rule_takes() -> None:
    at = Gatehouse(rule(issuer="corp", agent="bots"))
    assert await at.comes(BOT) == await at.comes(JOB)
    record = at.registry.standing(AgentId("bots"))
    assert record is not None
    assert (record.identities, [event.fields["identity"] for event in at.events]) == ((BOT, JOB), [str(BOT), str(JOB)])


@pytest.mark.parametrize("change", [{"team": "other"}, {"kind": "other"}])
async def test_a_rule_that_now_says_another_team_or_kind_adds_nobody_to_the_agent_it_made_before(change: dict[str, str]) -> None:
    at = Gatehouse(rule(issuer="corp", agent="bots"))
    await at.comes(BOT)
    at.enrolment.adopt([rule(issuer="corp", agent="bots", **change)], frozenset())
    reason, detail = await at.refused(JOB)
    assert (reason, "the rule says otherwise" in detail) == (UNAUTHENTICATED, True)


async def test_nobody_joins_an_agent_that_is_kept_out() -> None:
    at = Gatehouse(rule(issuer="corp", agent="bots"))
    await at.comes(BOT)
    await at.registry.suspend(AgentId("bots"))
    assert await at.refused(JOB) == (REVOKED, "agent bots is suspended")
    assert at.registry.by_identity(JOB) is None


async def test_a_rule_makes_known_as_many_agents_as_it_may_and_no_more() -> None:
    at = Gatehouse(rule(issuer="corp", most=2))
    for name in ("a", "b"):
        await at.comes(client("corp", name))
    await at.registry.revoke(AgentId("a"))
    reason, detail = await at.refused(client("corp", "c"))
    assert (reason, detail.endswith("the rule has made 2 agents known, which is the most it may")) == (UNAUTHENTICATED, True)
    assert (await at.comes(client("corp", "b"))).id == "b"


async def test_a_revoked_agent_is_not_enrolled_again_under_its_identity() -> None:
    at = Gatehouse(rule(issuer="corp"))
    await at.comes(BOT)
    await at.registry.revoke(AgentId("bot-1"))
    assert await at.refused(BOT) == (REVOKED, "agent bot-1 is revoked")


async def test_an_identity_taken_from_its_own_agent_does_not_come_back_by_the_rule() -> None:
    at = Gatehouse(rule(issuer="corp"))
    await at.comes(BOT)
    await at.registry.unbind(BOT)
    assert (await at.refused(BOT))[0] is UNAUTHENTICATED
    assert at.enrolment.could_enrol(BOT) == ""


async def test_a_rule_that_would_bring_an_identity_back_is_known_beforehand() -> None:
    at = Gatehouse(rule(issuer="corp", agent="bots", claims={"dept": "eng"}))
    await at.comes(BOT, claims={"dept": "eng"})
    await at.registry.unbind(BOT)
    assert at.enrolment.could_enrol(BOT) == "client:corp:* with dept='eng' as bots"
    assert at.enrolment.could_enrol(client("other", "bot-1")) == ""


async def test_reserved_names_and_owners_who_have_left_get_nobody() -> None:
    at = Gatehouse(rule(issuer="corp"), reserved=("guest",))
    assert (await at.refused(client("corp", "guest")))[1].endswith("the name 'guest' is anonymous callers'")
    await at.comes(BOT)
    await at.registry.owner_left("ada")
    assert (await at.refused(JOB))[1].endswith("the owner 'ada', whom the rule names, has left")


async def test_a_name_that_cannot_be_an_identity_is_refused_before_any_rule_looks_at_it() -> None:
    at = Gatehouse(rule(issuer="corp"))
    for name in ("", " ", "a\nb", "a" * 2049):
        reason, detail = await at.refused(client("corp", name))
        assert (reason, detail.startswith("expected a name of 1 to 2048 printable characters")) == (UNAUTHENTICATED, True)


async def test_after_a_reload_the_new_rules_count_and_who_is_known_stays_known() -> None:
    at = Gatehouse(rule(issuer="corp"))
    await at.comes(BOT)
    at.enrolment.adopt([], frozenset())
    assert (await at.comes(BOT)).id == "bot-1"
    assert (await at.refused(JOB))[0] is UNAUTHENTICATED


async def test_an_enrolment_that_gets_no_answer_in_time_is_refused() -> None:
    at = Gatehouse(rule(issuer="corp"))

    async def never(event: Event) -> None:
        await anyio.sleep_forever()

    slow = Enrolment(at.registry, never, at.clock, seconds=0.01)
    slow.adopt([rule(issuer="corp")], frozenset())
    with pytest.raises(NotYetError) as wait:
        slow.agent(BOT, TOKEN, {})
    with pytest.raises(Refused) as caught:
        await wait.value.prepare()
    assert (caught.value.reason, at.registry.agents()) == (UNAUTHENTICATED, ())


async def test_through_the_chain_an_identity_is_enrolled_on_its_first_request_and_known_on_the_next() -> None:
    at = Gatehouse(rule(issuer="corp"))
    chain = Chain([Clients(at.enrolment)])
    presented = Presented("Bearer bot-1", "10.0.0.1", loopback=False)
    with pytest.raises(Refused):
        chain.identify(presented)
    first = await chain.identified(presented)
    assert (first.agent.id, chain.identify(presented), len(at.events)) == ("bot-1", first, 1)


async def test_through_the_chain_an_enrolment_that_fails_lets_nobody_in() -> None:
    at = Gatehouse(rule(issuer="corp"))
    at.broken = True
    with pytest.raises(Refused) as caught:
        await Chain([Clients(at.enrolment)]).identified(Presented("Bearer bot-1", "10.0.0.1", loopback=False))
    assert caught.value.reason is UNAUTHENTICATED
