"""What an operator's rules make of findings, and what no rule loosens."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.config.dispositions import DispositionRule
from doorward.domain.catalog import Kind
from doorward.domain.findings import FAILED, Direction, Disposition, Finding, Severity
from doorward.policy.dispose import DEFAULT, dispose, hardest
from doorward.policy.dispositions import HELD_GUARDS, HELD_RULES, Dispositions, is_held
from tests.made import call

REQUEST, RESPONSE = Direction.REQUEST, Direction.RESPONSE
HARDNESS = list(Disposition)
CALL = call()
FOUND = Finding("mine", "override", Severity.HIGH, "/content/0/text", 3, 9)

GUARDS = sorted({guard for guard, _ in DEFAULT} | {"chain", "unheard_of"})
RULES = ["override", "schema_uncheckable", *sorted(FAILED)]
THEN = ["pass", "label", "spotlight", "mask", "ask", "block"]

findings = st.builds(
    Finding, st.sampled_from(GUARDS), st.sampled_from(RULES), st.sampled_from(Severity), st.sampled_from(["", "/a", "/a/b", "/b/0"])
)
rules = st.builds(
    lambda **given: DispositionRule.model_validate({name: value for name, value in given.items() if value}),
    guards=st.lists(st.sampled_from(GUARDS), max_size=2),
    rules=st.lists(st.sampled_from(RULES), max_size=1),
    severities=st.lists(st.sampled_from(["low", "medium", "high"]), max_size=2),
    directions=st.lists(st.sampled_from(["request", "response"]), max_size=1),
    pointers=st.lists(st.sampled_from(["/a", "/*/0", "/b"]), max_size=1),
    then=st.sampled_from(THEN),
)


def of(*declared: Mapping[str, object], observed: tuple[str, ...] = ()) -> Dispositions:
    return Dispositions(rules=[DispositionRule.model_validate(one) for one in declared], observed=observed)


def test_without_rules_the_table_stands() -> None:
    assert of().of(FOUND, RESPONSE, CALL) is dispose(FOUND, RESPONSE)
    assert of().rule(FOUND, RESPONSE, CALL) is None


def test_the_first_rule_that_fits_counts() -> None:
    both = of({"guards": ["links"], "then": "pass"}, {"rules": ["override"], "then": "label"}, {"guards": ["mine"], "then": "block"})
    assert both.of(FOUND, RESPONSE, CALL) is Disposition.LABEL
    assert [rule.place for rule in both.about("mine", RESPONSE)] == [1, 2]


@pytest.mark.parametrize(
    ("field", "fits", "does_not"),
    [
        ("guards", "mine", "min"),
        ("rules", "override", "overrides"),
        ("severities", "high", "low"),
        ("directions", "response", "request"),
        ("agents", CALL.principal.agent.id, "somebody-else"),
        ("teams", CALL.principal.agent.team, "others"),
        ("upstreams", CALL.target.upstream, "elsewhere"),
        ("tools", CALL.target.name, f"{CALL.target.name}s"),
        ("pointers", "/content/*/text", "/content/1"),
        ("pointers", "/content", "/content/0/text/more"),
    ],
)
def test_a_rule_fits_where_everything_it_names_fits(field: str, fits: str, does_not: str) -> None:
    assert of({field: [fits], "then": "pass"}).of(FOUND, RESPONSE, CALL) is Disposition.PASS
    assert of({field: [does_not], "then": "pass"}).of(FOUND, RESPONSE, CALL) is Disposition.BLOCK
    assert of({field: [does_not, fits], "then": "pass"}).of(FOUND, RESPONSE, CALL) is Disposition.PASS


def test_a_rule_about_tools_is_about_nothing_else_of_that_name() -> None:
    read = replace(CALL, target=replace(CALL.target, kind=Kind.PROMPT))
    assert of({"tools": [CALL.target.name], "then": "pass"}).of(FOUND, RESPONSE, read) is Disposition.BLOCK


@pytest.mark.parametrize("then", THEN)
def test_every_word_of_the_configuration_is_a_disposition(then: str) -> None:
    assert of({"then": then}).of(FOUND, RESPONSE, CALL).value == {"mask": "redact"}.get(then, then)


HELD = [Finding(guard, "any", Severity.HIGH, "/a") for guard in HELD_GUARDS] + [
    Finding("any", rule, Severity.HIGH, "/a") for rule in sorted(HELD_RULES)
]


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("finding", HELD, ids=lambda one: f"{one.guard}/{one.rule}")
def test_no_rule_loosens_what_is_held_and_any_may_tighten_it(finding: Finding, direction: Direction) -> None:
    for then in THEN:
        done = of({"then": then}).of(finding, direction, CALL)
        wanted = of({"then": then}).of(FOUND, direction, CALL)
        assert done is hardest((dispose(finding, direction), wanted))


def test_what_a_guard_that_is_observed_finds_is_only_recorded() -> None:
    silent = of({"then": "block"}, observed=("mine",))
    assert silent.of(Finding("mine", "word", Severity.HIGH, "/a"), REQUEST, CALL) is Disposition.PASS
    assert silent.of(Finding("mine", "guard_failed", Severity.LOW, ""), REQUEST, CALL) is Disposition.PASS
    assert silent.of(Finding("other", "word", Severity.LOW, "/a"), REQUEST, CALL) is Disposition.BLOCK


@given(st.lists(rules, max_size=4), findings, st.sampled_from(Direction))
def test_whatever_the_rules_what_is_held_is_never_met_with_less_than_by_default(
    declared: list[DispositionRule], finding: Finding, direction: Direction
) -> None:
    done = Dispositions(rules=declared).of(finding, direction, CALL)
    if is_held(finding):
        assert HARDNESS.index(done) >= HARDNESS.index(dispose(finding, direction))


@given(st.lists(rules, max_size=4), st.lists(findings, max_size=5), findings, st.sampled_from(Direction))
def test_whatever_the_rules_more_findings_never_loosen(
    declared: list[DispositionRule], before: list[Finding], more: Finding, direction: Direction
) -> None:
    every = Dispositions(rules=declared)
    once = [every.of(finding, direction, CALL) for finding in before]
    again = [every.of(finding, direction, CALL) for finding in [*before, more]]
    assert again[: len(once)] == once
    assert HARDNESS.index(hardest(again)) >= HARDNESS.index(hardest(once))


@given(st.lists(rules, max_size=4), findings, st.sampled_from(Direction))
def test_compiled_rules_say_what_the_written_ones_do(declared: list[DispositionRule], finding: Finding, direction: Direction) -> None:
    def fits(rule: DispositionRule) -> bool:
        return (
            (not rule.guards or finding.guard in rule.guards)
            and (not rule.rules or finding.rule in rule.rules)
            and (not rule.severities or finding.severity in rule.severities)
            and (not rule.directions or direction in rule.directions)
            and (not rule.pointers or any(_below(finding.pointer, pattern) for pattern in rule.pointers))
        )

    expected = next((place for place, rule in enumerate(declared) if fits(rule)), None)
    found = Dispositions(rules=declared).rule(finding, direction, CALL)
    assert (None if found is None else found.place) == expected


def _below(pointer: str, pattern: str) -> bool:
    steps, wanted = pointer.split("/")[1:], pattern.split("/")[1:]
    return len(steps) >= len(wanted) and all(one in ("*", step) for one, step in zip(wanted, steps, strict=False))
