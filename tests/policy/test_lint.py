"""Lint: what it says of a policy is true, and what it calls superfluous can go without changing a decision."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from doorward.domain.calls import Call
from doorward.domain.decisions import Decision, Deny
from doorward.domain.ids import Digest, TeamId
from doorward.policy.engine import Policies
from doorward.policy.lint import lint
from doorward.policy.question import Moment
from doorward.policy.remarks import Surroundings
from doorward.policy.rules import Rule, Source, parse
from doorward.policy.trial import effect
from tests.policy.generated import KNOWN, Written, calls, compiled, moments, written
from tests.policy.world import BANK, ENTRIES, load, loaded, policy

AROUND = Surroundings(frozenset({"corp"}), frozenset({"finance"}))
DOCS = Path(__file__).parents[2] / "docs" / "policies"


def told(*texts: str, around: Surroundings = AROUND) -> list[tuple[str, str, str]]:
    """Rule of lint, gravity and policy of each remark."""
    return [(one.rule, str(one.gravity), str(one.policy)) for one in lint(unchecked(*texts), around)]


def unchecked(*texts: str, team: str = "") -> Policies:
    rules, wrong = parse(Source("p.cedar", "\n".join(texts), team))
    assert not wrong, wrong
    return Policies(rules, KNOWN, Digest(""), ())


def permit(scope: str, condition: str = "", name: str = "p", **notes: str) -> str:
    return policy(f"permit ({scope}) {condition};", name, **notes)


def forbid(scope: str, condition: str = "", name: str = "f", **notes: str) -> str:
    return policy(f"forbid ({scope}) {condition};", name, **notes)


SUPPORT = 'principal in Team::"support"'
READS = f'{SUPPORT}, action in Action::"read", resource'
SEARCHES = f'{SUPPORT}, action == Action::"github/search", resource'
PAYS = f'{SUPPORT}, action == Action::"bank/pay", resource'
FILES = f'{SUPPORT}, action == Action::"github/resources/read", resource'


@pytest.mark.parametrize(
    ("texts", "remarks"),
    [
        # Shadowed: covered by a wider permit, with the same condition or a weaker one, or by several together.
        ((permit(READS, name="wide"), permit(SEARCHES, name="narrow")), [("shadowed", "warning", "narrow")]),
        ((permit(SEARCHES, name="one"), permit(SEARCHES, name="two")), [("shadowed", "warning", "two")]),
        (
            (
                permit(PAYS, 'when { context.input.amount.lessThan(decimal("9.0")) }', "less"),
                permit(PAYS, 'when { context.input.amount.lessThan(decimal("5.0")) }', "least"),
            ),
            [("shadowed", "warning", "least")],
        ),
        (
            (
                permit(PAYS, 'when { ["a", "b"].contains(context.input.to) }', "either"),
                permit(PAYS, 'when { context.input.to == "b" }', "b"),
            ),
            [("shadowed", "warning", "b")],
        ),
        (
            (
                permit(READS, "when { context.time.hour > 8 || context.time.weekday > 5 }", "wide"),
                permit(READS, "when { context.time.weekday == 6 }", "narrow"),
            ),
            [("shadowed", "warning", "narrow")],
        ),
        (
            (
                permit(f'{SUPPORT}, action in Action::"github", resource', name="a"),
                permit(f'{SUPPORT}, action in Action::"bank", resource', name="b"),
                permit(f'{SUPPORT}, action in Action::"mail", resource', name="c"),
                permit(READS, name="both"),
            ),
            [("shadowed", "warning", "both")],
        ),
        (
            (
                permit(f'{SUPPORT}, action in Action::"github", resource', name="a"),
                permit(f'{SUPPORT}, action in Action::"github", resource == Upstream::"github"', name="b"),
            ),
            [("shadowed", "warning", "b")],
        ),
        # Not shadowed: another principal, a condition that the wider one has as well, an observed one.
        ((permit(SEARCHES, name="a"), permit('principal in Team::"sales", action == Action::"github/search", resource', name="b")), []),
        ((permit(READS, "when { context.time.hour > 8 }", "a"), permit(SEARCHES, name="b")), []),
        ((permit(READS, name="a", mode="observe"), permit(SEARCHES, name="b")), []),
        # Forbids: a wider one without a question covers; one that asks does not.
        (
            (
                permit(READS),
                forbid('principal, action in Action::"github", resource', name="all"),
                forbid('principal, action == Action::"github/delete_repo", resource', name="one"),
            ),
            [("shadowed", "warning", "one")],
        ),
        (
            (
                permit(PAYS),
                forbid('principal, action in Action::"bank", resource', name="asks", approval="finance"),
                forbid('principal, action == Action::"bank/pay", resource', "when { context.time.hour > 8 }", name="denies"),
            ),
            [],
        ),
        (
            (
                permit(PAYS),
                forbid('principal, action in Action::"bank", resource', name="lifted", exception="finance"),
                forbid('principal, action == Action::"bank/pay", resource', "when { context.time.hour > 8 }", name="denies"),
            ),
            [],
        ),
        # Dead: a condition that can never be true, or a permit that is forbidden as a whole.
        ((permit(READS, "when { context.time.hour < 8 && context.time.hour > 18 }"),), [("dead", "error", "p")]),
        ((permit(READS, "when { context.time.weekday == 0 }"),), [("dead", "error", "p")]),
        ((permit(PAYS, 'when { context.input.to == "a" && context.input.to == "b" }'),), [("dead", "error", "p")]),
        ((permit(PAYS, 'when { context.input.to == "a" } unless { ["a", "b"].contains(context.input.to) }'),), [("dead", "error", "p")]),
        ((permit(PAYS, 'when { context.input.to like "x*" && context.input.to == "yes" }'),), [("dead", "error", "p")]),
        (
            (
                permit(
                    PAYS,
                    'when { context.input.amount.greaterThan(decimal("5.0")) && context.input.amount.lessThanOrEqual(decimal("5.0")) }',
                ),
            ),
            [("dead", "error", "p")],
        ),
        ((permit(PAYS, 'when { principal in Team::"sales" }'),), [("dead", "error", "p")]),
        ((permit(READS, 'when { context.authn == "password" }'),), [("dead", "error", "p")]),
        (
            (permit(READS, 'when { !(context has network) && context.network.isInRange(ip("10.0.0.0/8")) }'),),
            [("dead", "error", "p"), ("load", "error", "p")],
        ),
        (
            (
                permit(
                    READS,
                    'when { context has network && context.network.isInRange(ip("10.0.0.0/8")) && context.network.isInRange(ip("11.0.0.0/8")) }',
                ),
            ),
            [("dead", "error", "p")],
        ),
        ((permit(READS, 'when { context.actors.isEmpty() && context.actors.contains("x") }'),), [("dead", "error", "p")]),
        ((permit(SEARCHES, 'when { action in Action::"destructive" }'),), [("dead", "error", "p")]),
        ((permit(SEARCHES, 'when { context.reversibility == "irreversible" }'),), [("dead", "error", "p")]),
        (
            (permit(SEARCHES, name="gone"), forbid('principal, action in Action::"github", resource', name="all")),
            [("dead", "error", "gone")],
        ),
        ((permit(SEARCHES, name="asked"), forbid('principal, action in Action::"github", resource', name="all", approval="finance")), []),
        ((permit(READS, "when { context.time.hour >= 8 && context.time.hour < 18 }"),), []),
        # Broad: everybody, and patterns that fit more than is meant.
        ((permit("principal, action, resource"),), [("everything", "warning", "p")]),
        ((permit('principal, action == Action::"bank/pay", resource'),), [("any-agent", "warning", "p")]),
        ((permit('principal, action == Action::"bank/pay", resource', 'when { context.input.to == "a" }'),), [("any-agent", "note", "p")]),
        ((permit('principal, action == Action::"bank/pay", resource', "when { resource in principal.team }"),), []),
        ((permit('principal, action == Action::"bank/pay", resource', 'when { context.issuer == "corp" }'),), []),
        ((permit('principal, action in Action::"read", resource'),), []),
        ((permit(FILES, 'when { context.input.uri like "*" }'),), [("matches-all", "warning", "p")]),
        ((permit(FILES, 'when { context.input.uri like "*acme.com" }'),), [("loose-host", "warning", "p")]),
        ((permit(FILES, 'when { context.input.uri like "https://acme.com*" }'),), [("loose-host", "warning", "p")]),
        ((permit(FILES, 'when { context.input.uri like "https://*.acme.com/*" }'),), [("loose-host", "warning", "p")]),
        ((permit(FILES, 'when { context.input.uri like "https://acme.com/*" }'),), []),
        ((permit(FILES, 'when { context.input.uri like "file:///srv/*" }'),), [("loose-path", "warning", "p")]),
        (
            (
                permit(FILES),
                forbid('principal, action == Action::"github/resources/read", resource', 'unless { context.input.uri like "/srv/*" }'),
            ),
            [("loose-path", "warning", "f")],
        ),
        (
            (
                permit(FILES),
                forbid('principal, action == Action::"github/resources/read", resource', 'when { context.input.uri like "/etc/*" }'),
            ),
            [],
        ),
        (
            (
                permit(FILES, 'when { context.input.uri like "/srv/*" }'),
                forbid('principal, action == Action::"github/resources/read", resource', 'when { context.input.uri like "*..*" }'),
            ),
            [],
        ),
        # Slips.
        ((permit('principal in Group::"finance", action in Action::"read", resource'),), [("no-issuer", "error", "p")]),
        ((permit('principal in Group::"crop:finance", action in Action::"read", resource'),), [("unknown-issuer", "warning", "p")]),
        ((permit(READS, 'when { context.issuer == "okta" }'),), [("unknown-issuer", "warning", "p")]),
        ((permit(PAYS), forbid("principal, action, resource", name="f", approval="finance")), []),
        ((permit(PAYS), forbid("principal, action, resource", name="f", approval="2 of ops")), [("nobody-speaks", "note", "f")]),
        ((permit(PAYS), forbid(PAYS, "when { context.time.hour > 8 }", name="f", exception="ops")), [("nobody-speaks", "note", "f")]),
        ((permit(READS, reason="ask with password=hunter22 please"),), [("secret-in-reason", "warning", "p")]),
        # What the load says.
        ((permit(f'{SUPPORT}, action == Action::"github/serach", resource'),), [("load", "error", "p")]),
        ((permit(f'{SUPPORT}, action == Action::"mail/send", resource'),), [("load", "note", "p")]),
    ],
)
def test_what_lint_says(texts: tuple[str, ...], remarks: list[tuple[str, str, str]]) -> None:
    assert told(*texts) == remarks


def test_a_remark_has_a_place_a_sentence_and_advice() -> None:
    (one,) = lint(unchecked(permit(READS, name="wide"), permit(SEARCHES, name="narrow")), AROUND)
    assert str(one) == (
        "p.cedar:6:1: warning: shadowed: policy narrow permits nothing that wide does not permit already; take it away, or narrow the other"
    )


def test_a_layer_of_a_team_covers_only_its_own() -> None:
    wide, narrow = (
        permit('principal, action in Action::"write", resource', "when { principal has user }", "wide"),
        permit(PAYS, "when { principal has user }", "narrow"),
    )
    for layer, expected in (("finance", ["narrow"]), ("platform", []), ("", ["narrow"])):
        rules = (*parse(Source("a", wide, layer))[0], *parse(Source("b", narrow))[0])
        known = replace(KNOWN, owners={BANK: TeamId("finance")})
        found = lint(Policies(rules, known, Digest(""), ()), AROUND)
        assert [one.policy for one in found if one.rule == "shadowed"] == expected


def test_a_catalogue_that_is_not_known_gives_notes_and_no_more() -> None:
    rules, _ = parse(Source("p", permit(SEARCHES) + permit(READS, name="q")))
    empty = load(entries=())
    assert isinstance(empty, Policies)
    assert [(one.rule, str(one.gravity)) for one in lint(Policies(rules, empty.vocabulary, Digest(""), ()), AROUND)] == [("load", "note")]


def test_of_a_condition_with_too_many_alternatives_nothing_is_said() -> None:
    many = " && ".join(f'(context.input.to == "a{n}" || context.time.hour == {n})' for n in range(8))
    assert told(permit(PAYS, f"when {{ {many} }}")) == []


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_the_examples_of_the_pages_raise_nothing_that_is_not_so(page: Path) -> None:
    found = set()
    for text in re.findall(r"```cedar\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        made = load(text, entries=ENTRIES)
        if isinstance(made, Policies):
            found |= {(one.rule, str(one.policy)) for one in lint(made, Surroundings(None, frozenset({"finance", "finance-leads"})))}
    assert {one for one in found if one[0] not in ("nobody-speaks", "load")} <= {
        ("any-agent", "reads-of-one-owner"),
        ("loose-path", "reports"),
    }


def is_failing(decision: Decision, rules: set[str]) -> bool:
    """Whether a denial is because one of these could not be evaluated."""
    return (
        isinstance(decision, Deny)
        and ("could not be" in decision.reason or "cannot be" in decision.reason)
        and bool(rules & set(decision.policies))
    )


@settings(deadline=None, max_examples=150)
@given(st.lists(written, min_size=2, max_size=7), calls, moments)
def test_what_is_shadowed_or_dead_can_go_without_changing_a_decision(texts: list[Written], question: Call, moment: Moment) -> None:
    policies = compiled(texts)
    gone = {one.policy for one in lint(policies, AROUND) if one.rule in ("shadowed", "dead")}
    left: tuple[Rule, ...] = tuple(rule for rule in policies.rules if rule.id not in gone)
    before = policies.decide(question, moment)
    after = Policies(left, KNOWN, Digest(""), ()).decide(question, moment)
    assert effect(before) == effect(after) or is_failing(before, set(map(str, gone)))


def test_the_property_is_about_something() -> None:
    assert len({one.rule for one in lint(loaded(permit(READS, name="a"), permit(SEARCHES, name="b")), AROUND)}) == 1
