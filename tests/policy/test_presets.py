"""The policies that ship: asked about is what somebody untrusted may have led an agent to."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.catalog import Target
from doorward.domain.decisions import Allow, Ask, Decision, Deny, Need
from doorward.domain.flow import Confidentiality, Flow, Integrity, Label, Taint
from doorward.domain.ids import AgentId, Digest, PolicyId, WaiverId
from doorward.domain.waivers import Waiver, WaiverKind
from doorward.policy import engine
from doorward.policy.engine import Policies
from doorward.policy.lint import lint
from doorward.policy.presets import PRESETS, Preset, presets
from doorward.policy.problems import Problems
from doorward.policy.remarks import Surroundings
from doorward.policy.rules import Source, parse
from doorward.policy.session import Said
from tests.policy.generated import arguments
from tests.policy.world import CREATE, DELETE, ENTRIES, FILE, NOON, PAY, REVIEW, SEARCH, UPSTREAMS, call, entry, policy, target

PERMIT = policy("permit(principal, action, resource);", "open")
FETCH = target("mail", "fetch", "read", "external")
READ_BY = Label(Integrity.UNTRUSTED, Confidentiality.PUBLIC)
BOTH = Label(Integrity.UNTRUSTED, Confidentiality.INTERNAL)
PRIVATE = Label(Integrity.TRUSTED, Confidentiality.RESTRICTED)
TO = (Taint("/to", "mail"),)


def shipped(*wanted: Preset, files: Sequence[Source] = (Source("open.cedar", PERMIT),), exceptions: str | None = None) -> Policies:
    found = engine.compile((*files, *presets(wanted, "platform", exceptions)), (*ENTRIES, entry(FETCH)), UPSTREAMS)
    assert isinstance(found, Policies), [str(problem) for problem in found.items]
    return found


def decided(policies: Policies, what: Target, flow: Flow) -> Decision:
    given_arguments: dict[str, object] = {"amount": 1, "to": "a"} if what is PAY else {"owner": "acme"} if what is CREATE else {}
    return policies.decide(call(what, given_arguments), replace(NOON, session=Said(flow)))


@pytest.mark.parametrize(
    ("preset", "flow", "asked"),
    [
        ("rule_of_two", Flow(), []),
        ("rule_of_two", Flow(READ_BY), []),
        ("rule_of_two", Flow(PRIVATE), []),
        ("rule_of_two", Flow(BOTH), ["create_issue", "delete_repo", "pay", "fetch"]),
        ("no_untrusted_destination", Flow(BOTH), []),
        ("no_untrusted_destination", Flow(READ_BY, (Taint("/body", "mail", is_prose=True),)), []),
        (
            "no_untrusted_destination",
            Flow(READ_BY, (Taint("/body", "mail", is_prose=True), *TO)),
            ["create_issue", "delete_repo", "pay", "fetch"],
        ),
        ("no_untrusted_destination", Flow(READ_BY, TO), ["create_issue", "delete_repo", "pay", "fetch"]),
    ],
)
def test_what_changes_something_or_reaches_outside_is_asked_about_and_what_only_reads_is_not(
    preset: Preset, flow: Flow, asked: list[str]
) -> None:
    policies = shipped(preset)
    every = (SEARCH, CREATE, DELETE, PAY, REVIEW, FETCH, FILE)
    assert [what.name for what in every if isinstance(decided(policies, what, flow), Ask)] == asked
    assert [what.name for what in every if isinstance(decided(policies, what, flow), Deny)] == []


def test_both_presets_ask_one_team_once() -> None:
    decision = decided(shipped(*PRESETS), PAY, Flow(BOTH, TO))
    assert isinstance(decision, Ask)
    assert decision.policies == (PolicyId("doorward/rule_of_two"), PolicyId("doorward/no_untrusted_destination"))
    assert decision.needs == (Need("platform"),)


def test_no_permit_of_a_team_undoes_a_preset() -> None:
    files = (Source("open.cedar", PERMIT), Source("team.cedar", policy("permit(principal, action, resource);", "mine"), "finance"))
    assert isinstance(decided(shipped("rule_of_two", files=files), PAY, Flow(BOTH)), Ask)


def test_a_preset_denies_where_nothing_permits() -> None:
    denial = decided(shipped("rule_of_two", files=()), PAY, Flow(BOTH))
    assert isinstance(denial, Deny)


def test_a_preset_is_passed_over_for_one_agent_only_where_a_team_may_let_it() -> None:
    preset = PolicyId("doorward/rule_of_two")
    without, named = shipped("rule_of_two"), shipped("rule_of_two", exceptions="security")
    assert without.liftable(preset) is None
    rule = named.liftable(preset)
    assert rule is not None
    assert rule.liftable_by == "security"
    lifts = {preset: rule.text_digest}
    waiver = Waiver(WaiverId("w1"), WaiverKind.EXCEPTION, AgentId("claude"), "bank/pay", lifts, "why", "ann", 0, 0)
    asked, moment = call(PAY, {"amount": 1, "to": "a"}), replace(NOON, session=Said(Flow(BOTH)))
    decision = named.decide(asked, moment, lambda _: (waiver,))
    assert isinstance(decision, Allow)
    assert decision.waiver == "w1"


def test_presets_are_part_of_the_digest_and_whom_they_ask_is() -> None:
    def digest(wanted: tuple[Preset, ...], team: str) -> Digest:
        found = engine.compile((Source("open.cedar", PERMIT), *presets(wanted, team)), ENTRIES, UPSTREAMS)
        assert isinstance(found, Policies)
        return found.digest

    digests = {digest(wanted, team) for wanted in ((), ("rule_of_two",), PRESETS) for team in ("platform", "security")}
    assert len(digests) == 5


def test_no_file_takes_an_id_of_a_preset() -> None:
    taken = Source("open.cedar", policy("permit(principal, action, resource);", "doorward/rule_of_two"))
    found = engine.compile((taken,), ENTRIES, UPSTREAMS)
    assert isinstance(found, Problems)
    assert [problem.message for problem in found.items] == ["ids that start with doorward/ are the gateway's own"]


def test_lint_says_of_a_preset_only_that_nobody_answers_for_its_team() -> None:
    assert lint(shipped(*PRESETS, files=()), Surroundings(speakers=frozenset({"platform"}))) == ()
    told = lint(shipped("rule_of_two", files=()), Surroundings())
    assert [(one.rule, one.policy, one.path) for one in told] == [("nobody-speaks", "doorward/rule_of_two", "doorward/rule_of_two")]


@given(st.text(min_size=1, max_size=20).filter(str.strip).filter(lambda team: not team.strip()[0].isdigit()))
def test_any_name_of_a_team_is_written_as_it_is(team: str) -> None:
    (source,) = presets(("rule_of_two",), team, team)
    rules, wrong = parse(source)
    assert not wrong
    assert (rules[0].approver, rules[0].liftable_by) == (team.strip(), team.strip())


flows = st.builds(
    Flow,
    st.builds(Label, st.sampled_from(Integrity), st.sampled_from(Confidentiality)),
    st.lists(st.sampled_from((*TO, Taint("/memo", "web"))), max_size=2).map(tuple),
)


@given(st.sampled_from((SEARCH, CREATE, DELETE, PAY, FETCH)), arguments, flows)
def test_presets_only_ever_make_a_question_of_what_was_allowed(what: Target, given_arguments: dict[str, object], flow: Flow) -> None:
    asked, moment = call(what, given_arguments), replace(NOON, session=Said(flow))
    bare, guarded = shipped().decide(asked, moment), shipped(*PRESETS).decide(asked, moment)
    assert type(guarded) is type(bare) or isinstance(bare, Allow)
    grave = bool(what.parents & {"write", "destructive", "external"})
    led = flow.label.integrity is Integrity.UNTRUSTED and flow.label.confidentiality is not Confidentiality.PUBLIC
    assert isinstance(guarded, Ask) == (grave and (led or bool(flow.tainted)))
