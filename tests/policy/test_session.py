"""`context.session`: what has flowed into a context, as policies read it."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.actors import Actor
from doorward.domain.catalog import Kind
from doorward.domain.decisions import Allow, Ask, Deny
from doorward.domain.flow import CLEAN, Confidentiality, Flow, Integrity, Label, Taint
from doorward.domain.ids import PolicyId
from doorward.policy.engine import Policies
from doorward.policy.explain import explain
from doorward.policy.flip import flips
from doorward.policy.question import Moment
from doorward.policy.reads import WHOLE, Tree
from doorward.policy.session import Said, argument, session_facts, told, with_fact_of
from doorward.policy.shown import shown
from tests.policy.world import CLAUDE, FILE, NOON, PAY, SEARCH, call, loaded, policy, principal, problems, target

PERMIT = policy("permit(principal, action, resource);", "open")
STEERED = Label(Integrity.UNTRUSTED, Confidentiality.INTERNAL, frozenset({"health"}))
FLOW = Flow(STEERED, (Taint("/to", "mail"), Taint("/cc/0/a~1b", "web")), 9, 2, 1, frozenset({"links/image"}))


def during(flow: Flow) -> Moment:
    return replace(NOON, session=Said(flow))


def forbid(condition: str, **notes: str) -> Policies:
    return loaded(PERMIT, policy(f"forbid(principal, action, resource) when {{ {condition} }};", "stop", **notes))


@dataclass
class Watched:
    """A session that counts how often taint is looked for."""

    what: Flow = FLOW
    looks: list[str] = field(default_factory=list)

    def flow(self) -> Flow:
        return self.what

    def tainted(self) -> tuple[Taint, ...]:
        self.looks.append("taint")
        return self.what.tainted


def test_everything_of_a_session_can_be_read() -> None:
    assert session_facts(Said(FLOW), WHOLE) == {
        "integrity": "untrusted",
        "confidentiality": "internal",
        "categories": ["health"],
        "calls": 9,
        "writes": 2,
        "externals": 1,
        "findings": ["links/image"],
        "tainted": ["/to", "/cc/0/a~1b"],
        "tainted_destinations": ["/to", "/cc/0/a~1b"],
        "tainted_below": ["/to", "/cc/0/a~1b", "/cc/0", "/cc"],
        "tainted_arguments": ["to", "cc"],
        "sources": ["mail", "web"],
        "too_confidential": False,
        "too_untrusted": False,
    }


@pytest.mark.parametrize(("pointer", "name"), [("/to", "to"), ("/a~1b~0/0", "a/b~"), ("", ""), ("/", "")])
def test_an_argument_is_named_as_it_is_called(pointer: str, name: str) -> None:
    assert argument(pointer) == name


@pytest.mark.parametrize(
    "condition",
    [
        'context.session.integrity == "untrusted"',
        'context.session.confidentiality != "public"',
        'context.session.categories.contains("health")',
        'context.session.tainted.contains("/to")',
        'context.session.tainted_below.contains("/cc")',
        'context.session.tainted_arguments.contains("to")',
        'context.session.sources.contains("mail")',
        "context.session.calls >= 9 && context.session.writes == 2 && context.session.externals == 1",
        'context.session.findings.contains("links/image")',
    ],
)
def test_a_forbid_on_a_session_decides_by_what_has_flowed_in(condition: str) -> None:
    policies = forbid(condition)
    asked = call(PAY, {"amount": 1, "to": "a"})
    assert isinstance(policies.decide(asked, during(FLOW)), Deny)
    assert policies.decide(asked, during(Flow(CLEAN))) == Allow((PolicyId("open"),))


def test_what_reads_a_session_that_nobody_knows_denies() -> None:
    decision = forbid('context.session.integrity == "untrusted"').decide(call(SEARCH), NOON)
    assert decision == Deny((PolicyId("stop"),), "`context.session` cannot be decided on: it is required and not there")


def test_nothing_is_remembered_of_a_session() -> None:
    policies, asked = forbid('context.session.integrity == "untrusted"'), call(SEARCH)
    seen = [type(policies.decide(asked, during(flow))) for flow in (Flow(), FLOW, Flow())]
    assert seen == [Allow, Deny, Allow]


@pytest.mark.parametrize(
    ("condition", "looks"),
    [("context.session.calls > 3", []), ('context.session.tainted.contains("/to")', ["taint"]), ('context.authn == "none"', [])],
)
def test_taint_is_looked_for_only_where_it_is_read(condition: str, looks: list[str]) -> None:
    session = Watched()
    forbid(condition).decide(call(SEARCH), replace(NOON, session=session))
    assert session.looks == looks


@pytest.mark.parametrize(
    ("condition", "notes", "reads"),
    [
        ("context.session.calls > 3", {}, True),
        ("context.session.calls > 3", {"mode": "observe"}, True),
        ('context.authn == "none"', {}, False),
    ],
)
def test_it_is_known_of_policies_whether_any_reads_a_session_also_one_that_is_only_watched(
    condition: str, notes: dict[str, str], reads: bool
) -> None:
    assert forbid(condition, **notes).reads_session is reads


def test_every_agent_of_a_chain_is_asked_about_the_one_context() -> None:
    only = loaded(PERMIT, policy('forbid(principal == Agent::"cursor", action, resource) when { context.session.calls > 3 };', "stop"))
    through = call(SEARCH, who=replace(CLAUDE, actors=(Actor("cursor", "self", principal("cursor").agent),)))
    assert isinstance(only.decide(through, during(FLOW)), Deny)
    assert isinstance(only.decide(through, during(Flow())), Allow)
    assert isinstance(only.decide(call(SEARCH), during(FLOW)), Allow)


@pytest.mark.parametrize("moment", [NOON, during(FLOW), during(Flow())])
def test_no_list_hides_what_another_context_could_have(moment: Moment) -> None:
    policies = forbid('context.session.integrity == "untrusted" || context.session.calls > 3')
    whole = target("github", "github", kind=Kind.UPSTREAM)
    assert [policies.could_allow(CLAUDE, what, moment) for what in (SEARCH, FILE, whole)] == [True, True, True]
    trusting = loaded(policy('permit(principal, action, resource) when { context.session.integrity == "trusted" };', "calm"))
    assert [trusting.could_allow(CLAUDE, what, moment) for what in (SEARCH, FILE, whole)] == [True, True, True]


def test_a_list_of_resources_still_knows_their_addresses() -> None:
    calm = 'context.session.integrity == "trusted" && context.input.uri like "file:///srv/*"'
    policies = loaded(policy(f'permit(principal, action == Action::"github/resources/read", resource) when {{ {calm} }};', "calm"))
    assert policies.could_allow(CLAUDE, FILE, NOON)
    assert not policies.could_allow(CLAUDE, replace(FILE, name="file:///etc/passwd"), NOON)


def test_an_observed_rule_reads_the_session_too() -> None:
    policies = forbid('context.session.integrity == "untrusted"', mode="observe")
    observed = policies.observed(call(SEARCH), during(FLOW))
    assert observed is not None
    assert isinstance(observed.would, Deny)
    assert isinstance(policies.decide(call(SEARCH), during(FLOW)), Allow)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("context.session.taintd.isEmpty()", "there is no `context.session.taintd`; did you mean `tainted`?"),
        ("context.sesion.calls > 1", "there is no `context.sesion`; did you mean `session`?"),
        ("context.session.calls.isEmpty()", None),
    ],
)
def test_a_slip_in_a_session_is_told_at_load(condition: str, said: str | None) -> None:
    wrong = problems(PERMIT, policy(f"forbid(principal, action, resource) when {{ {condition} }};", "stop"))
    assert wrong
    assert said is None or said in wrong[0]


def test_an_explanation_tells_what_was_read_of_the_session() -> None:
    found = explain(forbid('context.session.tainted.contains("/to")'), call(SEARCH), during(FLOW))
    assert {fact.name: fact.value for fact in found.facts if "session" in fact.name} == {"context.session.tainted": ["/to", "/cc/0/a~1b"]}


def test_who_is_asked_is_told_what_was_tainted_and_by_whom() -> None:
    policies = forbid('context.session.integrity == "untrusted" && !context.session.tainted.isEmpty()', approval="ops")
    asked = call(PAY, {"amount": 1, "to": "a"})
    decision = policies.decide(asked, during(FLOW))
    assert isinstance(decision, Ask)
    assert shown(policies, asked, decision.policies, during(FLOW)) == (
        ("context", "something untrusted has been read, and what is internal (health)"),
        ("tainted", "/to first appeared in untrusted output of mail"),
        ("tainted", "/cc/0/a~1b first appeared in untrusted output of web"),
    )


def test_what_was_lost_of_a_context_taints_without_a_source() -> None:
    lost = Said(Flow(tainted=(Taint("/to", ""),)))
    assert session_facts(lost, WHOLE)["sources"] == []
    told_of = [("tainted", "/to may have appeared in untrusted output: what was read is not known in full any more")]
    assert list(told(lost, Tree(False, {"sources": WHOLE}))) == told_of


def test_what_a_target_does_not_take_can_be_forbidden_and_is_told() -> None:
    policies = forbid("context.session.too_confidential || context.session.too_untrusted", approval="ops")
    beyond = during(Flow(is_too_confidential=True, is_too_untrusted=True))
    asked = call(SEARCH)
    assert isinstance(policies.decide(asked, beyond), Ask)
    assert shown(policies, asked, (PolicyId("stop"),), beyond) == (
        ("sink", "the target does not take anything so confidential"),
        ("sink", "the target takes nothing from whoever has read something untrusted"),
    )


def test_counters_and_findings_are_told_where_they_are_read() -> None:
    read = Tree(False, {"calls": WHOLE, "findings": WHOLE})
    assert list(told(Said(FLOW), read)) == [
        ("before", "9 calls, of which 2 may have changed something and 1 reached outside"),
        ("found", "links/image"),
    ]
    assert list(told(Said(Flow()), Tree(False, {"findings": WHOLE, "integrity": WHOLE}))) == [
        ("context", "nothing untrusted has been read, and nothing that is not public"),
        ("found", "nothing"),
    ]


@pytest.mark.parametrize(
    ("flow", "condition", "flip"),
    [
        (
            Flow(STEERED),
            'context.session.integrity == "untrusted"',
            'context.session.integrity = "trusted" instead of "untrusted" → allow by open',
        ),
        (
            Flow(tainted=(Taint("/to", "mail"),)),
            'context.session.tainted_arguments.contains("to")',
            'context.session.tainted_arguments without "to" instead of ["to"] → allow by open',
        ),
        (
            Flow(tainted=(Taint("/cc/0", "mail"),)),
            'context.session.tainted_below.contains("/cc")',
            'context.session.tainted_below without "/cc" instead of ["/cc/0", "/cc"] → allow by open',
        ),
        (
            Flow(tainted=(Taint("/to", "mail"),)),
            'context.session.sources.contains("mail")',
            'context.session.sources without "mail" instead of ["mail"] → allow by open',
        ),
        (Flow(calls=9), "context.session.calls > 3", "context.session.calls ≤ 3 instead of 9 → allow by open"),
        (
            Flow(findings=frozenset({"links/image"})),
            'context.session.findings.contains("links/image")',
            'context.session.findings without "links/image" instead of ["links/image"] → allow by open',
        ),
        (Flow(), "context.session.writes == 0", "context.session.writes ≠ 0 (say, 1) instead of 0 → allow by open"),
        (
            Flow(is_too_confidential=True),
            "context.session.too_confidential",
            "context.session.too_confidential = false instead of true → allow by open",
        ),
        (
            Flow(STEERED),
            'context.session.categories.contains("health")',
            'context.session.categories without "health" instead of ["health"] → allow by open',
        ),
    ],
)
def test_the_smallest_change_of_a_session_that_flips_is_told(flow: Flow, condition: str, flip: str) -> None:
    found = flips(forbid(condition), call(PAY, {"amount": 1, "to": "a"}), during(flow), lambda: False)
    assert found.found[0].sentence == flip


@pytest.mark.parametrize(
    ("name", "value"),
    [("integrity", "not-untrusted"), ("confidentiality", ""), ("calls", -1), ("sources", ["nobody"]), ("categories", 3), ("none", True)],
)
def test_no_context_is_supposed_that_none_can_be(name: str, value: object) -> None:
    assert with_fact_of(Said(Flow()), name, value) is None


facts = st.sampled_from(["tainted", "tainted_below", "tainted_arguments"])
pointers = st.lists(st.sampled_from(["/to", "/cc/0", "/cc/1/a~1b", "/~0"]), max_size=4)


@given(facts, pointers, pointers)
def test_what_is_wanted_besides_is_in_a_supposed_fact(name: str, now: list[str], wanted: list[str]) -> None:
    had = Said(Flow(tainted=tuple(Taint(pointer, "mail") for pointer in now)))
    names = [argument(pointer) for pointer in wanted] if name == "tainted_arguments" else wanted
    found = with_fact_of(had, name, names)
    assert found is not None
    held = session_facts(found, WHOLE)[name]
    assert isinstance(held, list)
    before = session_facts(had, WHOLE)[name]
    assert isinstance(before, list)
    assert set(names) - set(before) <= set(held)
