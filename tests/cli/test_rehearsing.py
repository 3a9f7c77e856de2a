"""`doorward policy test` and `doorward policy lint`: policies tried and looked over without a gateway."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doorward.cli.main import main
from tests.cli.test_check import accept
from tests.peers import ROOT

POLICY = """
@id("pushes") @reason("Pushing is fine.")
permit (principal in Team::"dev", action == Action::"git/push", resource);

@id("no-force") @reason("History stays.")
forbid (principal, action == Action::"git/push", resource) when { context.input.force };
"""
TOOL = "tools: {git/push: {type: object, properties: {force: {type: boolean}}, required: [force]}}\n"
AGENT = "agents: {ann: {team: dev}}\n"
PUSHED = "- {name: pushed, agent: ann, call: git/push, arguments: {force: false}, expect: allow, by: [pushes]}\n"
FORCED = "- {name: forced, agent: ann, call: git/push, arguments: {force: true}, expect: deny, by: [no-force]}\n"
WRONG = "- {name: wrong, agent: ann, call: git/push, arguments: {force: true}, expect: allow}\n"


def written(directory: Path, lines: str, policy: str = POLICY, **fields: object) -> Path:
    path = directory / "doorward.yaml"
    document = {"upstreams": {"git": {"url": "https://git.example.com/mcp"}}, "policies": {"files": ["p.cedar"], **fields}}
    path.write_text(json.dumps(document))
    (directory / "p.cedar").write_text(policy)
    (directory / "policies" / "tests").mkdir(parents=True, exist_ok=True)
    (directory / "policies" / "tests" / "t.yaml").write_text(lines)
    return path


def ran(command: str, path: Path, *words: str) -> Result:
    result = CliRunner().invoke(main, ["policy", command, "-c", str(path), *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def ran_tests(path: Path, *words: str) -> Result:
    return ran("test", path, *words)


def test_tests_that_bring_their_tools_need_no_state(tmp_path: Path) -> None:
    result = ran_tests(written(tmp_path, f"{AGENT}{TOOL}tests:\n{PUSHED}{FORCED}"))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "2 of 2 tests are as expected; 2 of 2 policies decided in one of them\n"
    assert not (tmp_path / "state").exists()


def test_tests_stand_on_what_was_accepted(tmp_path: Path) -> None:
    path = written(tmp_path, f"{AGENT}tests:\n{PUSHED}{FORCED}")
    without = ran_tests(path)
    assert (without.exit_code, "nothing accepted is tool 'git/push'" in without.stdout) == (2, True)
    accept(tmp_path, "push")
    assert ran_tests(path).exit_code == 0
    assert ran_tests(path, "--without-catalog").exit_code == 2


def test_a_test_that_is_not_met_is_told_with_its_place_policies_and_facts(tmp_path: Path) -> None:
    result = ran_tests(written(tmp_path, f"{AGENT}{TOOL}tests:\n{PUSHED}{WRONG}"))
    assert result.exit_code == 1
    (line, *_) = result.stdout.splitlines()
    assert line == (
        f"{tmp_path}/policies/tests/t.yaml:5: wrong: expected allow, got deny by no-force (History stays.); facts: context.input.force = true"
    )


def test_what_decides_in_no_test_is_told_and_fails_if_that_is_wanted(tmp_path: Path) -> None:
    path = written(tmp_path, f"{AGENT}{TOOL}tests:\n{PUSHED}")
    result = ran_tests(path)
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path}/p.cedar:5: policy no-force decides in no test\n")
    assert ran_tests(path, "--strict").exit_code == 1


@pytest.mark.parametrize(
    ("tests", "told"),
    [
        ("tests: 3", "t.yaml:1:1: tests: expected a sequence"),
        (
            f"{AGENT}{TOOL}tests:\n- {{name: x, agent: ann, call: git/posh, expect: deny}}",
            "t.yaml:4:25: tests[0].call: nothing accepted is tool",
        ),
        (f"{AGENT}{TOOL}tests:\n- {{name: x, agent: ann, call: push, expect: deny}}", "expected upstream/name, got 'push'"),
        (f"{AGENT}tools: {{gti/push: {{}}}}\ntests:\n{PUSHED}", "there is no upstream 'gti'; did you mean `git`?"),
        (f"{AGENT}{TOOL}tests:\n- {{name: x, agent: ann, call: git/push, at: noon, expect: deny}}", "expected a moment such as"),
        (f"{AGENT}tests:\n- {{name: x, agent: ann, completion: gti, expect: deny}}", "there is no upstream 'gti'"),
    ],
)
def test_what_is_broken_ends_with_2_and_is_told_with_its_place(tmp_path: Path, tests: str, told: str) -> None:
    result = ran_tests(written(tmp_path, tests))
    assert (result.exit_code, told in result.stdout) == (2, True), result.stdout


def test_a_policy_that_does_not_fit_the_tools_is_warned_of(tmp_path: Path) -> None:
    result = ran_tests(written(tmp_path, f"{AGENT}tools: {{git/push: {{type: object}}}}\ntests:\n{PUSHED}"))
    assert (result.exit_code, f"{tmp_path}/p.cedar:6:" in result.stderr) == (1, True)


def test_a_broken_policy_ends_with_2(tmp_path: Path) -> None:
    result = ran_tests(written(tmp_path, f"{AGENT}{TOOL}tests:\n{PUSHED}", policy="permit;"))
    assert (result.exit_code, "p.cedar:1:" in result.stdout) == (2, True)


def test_no_tests_at_all_are_no_success(tmp_path: Path) -> None:
    path = written(tmp_path, "", POLICY, tests=["elsewhere/*.yaml"])
    assert (ran_tests(path).exit_code, "there are no tests" in ran_tests(path).stdout) == (2, True)


def test_files_may_be_named(tmp_path: Path) -> None:
    path = written(tmp_path, "broken")
    (tmp_path / "mine.yaml").write_text(f"{AGENT}{TOOL}tests:\n{PUSHED}{FORCED}")
    assert ran_tests(path, str(tmp_path / "mine.yaml")).exit_code == 0


def test_resources_prompts_and_completions_are_tried_too(tmp_path: Path) -> None:
    policy = """
@id("docs") @reason("r") permit (principal, action == Action::"git/resources/read", resource) when { context.input.uri like "file:///docs/*" };
@id("review") @reason("r") permit (principal, action == Action::"git/prompt/review", resource) when { context.input.code == "x" };
@id("completes") @reason("r") permit (principal, action == Action::"git/completion/complete", resource)
when { context.input.ref.type == "ref/prompt" };
@id("weekend") @reason("r") forbid (principal, action, resource) when { context.time.weekday > 5 };
"""
    tests = """
agents: {ann: {team: dev}}
prompts: {git/review: {required: [code]}}
tests:
- {name: a, agent: ann, resource: "file:///docs/a", upstream: git, expect: allow, by: [docs]}
- {name: b, agent: ann, resource: "file:///etc/a", upstream: git, expect: deny, by: []}
- {name: c, agent: ann, prompt: git/review, arguments: {code: x}, expect: allow, by: [review]}
- {name: d, agent: ann, completion: git, arguments: {ref: {type: ref/prompt, name: review}, argument: {name: code, value: x}}, expect: allow}
- {name: e, agent: ann, prompt: git/review, arguments: {code: x}, at: "2026-01-10T12:00:00Z", expect: deny, by: [weekend]}
"""
    result = ran_tests(written(tmp_path, tests, policy))
    assert (result.exit_code, result.stdout) == (0, "")


def test_json_tells_everything(tmp_path: Path) -> None:
    result = ran_tests(written(tmp_path, f"{AGENT}{TOOL}tests:\n{PUSHED}{WRONG}"), "--json")
    said: dict[str, Any] = json.loads(result.stdout)
    assert (result.exit_code, said["problems"], said["idle"]) == (1, [], [])
    assert [(one["name"], one["line"], one["is_met"], one["effect"], one["policies"]) for one in said["tests"]] == [
        ("pushed", 4, True, "allow", ["pushes"]),
        ("wrong", 5, False, "deny", ["no-force"]),
    ]
    assert said["tests"][1]["facts"]["context.input.force"] == "true"


@pytest.mark.parametrize("name", ["doorward.yaml", "company.yaml"])
def test_the_examples_do_what_their_tests_say(name: str) -> None:
    result = ran_tests(ROOT / "examples" / name, "--without-catalog", "--strict")
    assert (result.exit_code, result.stdout) == (0, "")


WIDE = """
@id("open") @reason("r") permit (principal in Team::"dev", action in Action::"git", resource);
@id("same") @reason("r") permit (principal in Team::"dev", action == Action::"git/push", resource);
"""
NEVER = '@id("never") @reason("r") permit (principal in Team::"dev", action in Action::"git", resource) when { context.time.hour > 30 };'


def test_lint_tells_each_remark_with_its_place_and_fails_for_warnings_only_if_that_is_wanted(tmp_path: Path) -> None:
    path = written(tmp_path, f"{AGENT}{TOOL}tests:\n{PUSHED}", WIDE)
    result = ran("lint", path)
    assert (result.exit_code, result.stdout) == (
        0,
        (
            f"{tmp_path}/p.cedar:3:26: warning: shadowed: policy same permits nothing that open does not permit already; "
            "take it away, or narrow the other\n"
        ),
    )
    assert ran("lint", path, "--strict").exit_code == 1


def test_lint_fails_for_what_does_not_do_what_it_says(tmp_path: Path) -> None:
    result = ran("lint", written(tmp_path, f"{AGENT}{TOOL}tests:\n{PUSHED}", NEVER))
    assert (result.exit_code, "error: dead: policy never matches nothing" in result.stdout) == (1, True)


def test_lint_knows_issuers_and_who_speaks_for_teams(tmp_path: Path) -> None:
    policy = """
@id("staff") @reason("r") permit (principal in Group::"crop:staff", action in Action::"git", resource);
@id("asked") @reason("r") @approval("leads") forbid (principal, action == Action::"git/push", resource);
"""
    path = written(tmp_path, f"{AGENT}{TOOL}tests:\n{PUSHED}", policy)
    document = json.loads(path.read_text())
    document["identity"] = {"issuers": {"corp": {"url": "https://login.example.com"}}}
    path.write_text(json.dumps(document))
    at_the_socket = json.loads(ran("lint", path, "--json").stdout)
    assert [one["rule"] for one in at_the_socket["remarks"]] == ["unknown-issuer"]
    document["approvals"] = {"webhooks": {"chat": {"url": "https://c.example", "secret": "${env:S}", "approvers": {"corp:ann": ["ops"]}}}}
    path.write_text(json.dumps(document))
    said = json.loads(ran("lint", path, "--json").stdout)
    assert [(one["rule"], one["gravity"], one["policy"]) for one in said["remarks"]] == [
        ("unknown-issuer", "warning", "staff"),
        ("nobody-speaks", "note", "asked"),
    ]
    assert "did you mean `corp`?" in said["remarks"][0]["sentence"]


def test_lint_stands_on_what_was_accepted(tmp_path: Path) -> None:
    policy = '@id("typo") @reason("r") permit (principal in Team::"dev", action == Action::"git/posh", resource);'
    path = written(tmp_path, f"{AGENT}{TOOL}tests:\n{PUSHED}", policy)
    assert (
        "error: load: policy typo says: git has nothing approved of the name `git/posh`; did you mean `git/push`?"
        in ran("lint", path).stdout
    )
    (tmp_path / "policies" / "tests" / "t.yaml").unlink()
    assert (ran("lint", path).exit_code, "note: load:" in ran("lint", path).stdout) == (0, True)
    accept(tmp_path, "push")
    assert ran("lint", path).exit_code == 1
    assert ran("lint", path, "--without-catalog").exit_code == 0


def test_lint_of_what_cannot_be_read_ends_with_2(tmp_path: Path) -> None:
    assert ran("lint", tmp_path / "none.yaml").exit_code == 2
    assert ran("lint", written(tmp_path, "tests: 3")).exit_code == 2
    assert ran("lint", written(tmp_path, f"{AGENT}{TOOL}tests:\n{PUSHED}", "permit;")).exit_code == 2


def test_keys_and_secrets_of_the_gateway_are_not_needed_where_its_policies_are_tried(tmp_path: Path) -> None:
    path = written(tmp_path, f"{AGENT}{TOOL}tests:\n{PUSHED}{FORCED}")
    document = json.loads(path.read_text())
    document["listen"] = {"tls": {"certificate": "none.pem", "key": "none.key"}}
    document["upstreams"]["git"]["credential"] = {"value": "Bearer ${file:none}"}
    path.write_text(json.dumps(document))
    assert CliRunner().invoke(main, ["check", "-c", str(path)]).exit_code == 1
    assert (ran_tests(path).exit_code, ran("lint", path).exit_code) == (0, 0)


def test_what_policies_rest_on_is_needed(tmp_path: Path) -> None:
    path = written(tmp_path, f"{AGENT}{TOOL}tests:\n{PUSHED}", files=["none.cedar"])
    assert (ran_tests(path).exit_code, "policies.files[0]: no file matches" in ran_tests(path).stdout) == (2, True)


@pytest.mark.parametrize("name", ["doorward.yaml", "company.yaml"])
def test_lint_has_nothing_against_the_examples(name: str) -> None:
    result = ran("lint", ROOT / "examples" / name, "--without-catalog", "--strict")
    assert (result.exit_code, result.stdout) == (0, "")


def test_tests_may_say_what_has_flowed_in_and_need_not_be_about_presets(tmp_path: Path) -> None:
    led = "- {name: led, agent: ann, call: git/push, arguments: {force: false}, session: {integrity: untrusted, confidentiality: internal}"
    lines = f"{AGENT}{TOOL}tests:\n{PUSHED}{FORCED}{led}, expect: ask, by: [doorward/rule_of_two], approvers: [leads]}}\n"
    path = written(tmp_path, lines)
    flow = {"presets": ["rule_of_two", "no_untrusted_destination"], "team": "leads"}
    path.write_text(json.dumps({**json.loads(path.read_text()), "flow": flow}))
    result = ran_tests(path)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "3 of 3 tests are as expected; 4 of 4 policies decided in one of them\n"


def test_a_test_that_says_a_pointer_wrongly_is_told_where(tmp_path: Path) -> None:
    lines = f"{AGENT}{TOOL}tests:\n- {{name: led, agent: ann, call: git/push, session: {{tainted: {{force: mail}}}}, expect: ask}}\n"
    result = ran_tests(written(tmp_path, lines))
    assert result.exit_code == 2
    assert "t.yaml:4:" in result.stdout
