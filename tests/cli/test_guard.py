"""`doorward guard list` and `doorward guard test`: guards listed and tried without a gateway."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doorward.cli.main import main
from doorward.config.dispositions import GUARDS
from tests.cli.test_check import accept
from tests.inspection.plugins.packages import installed

POLICY = '@id("all") @reason("All.") permit (principal, action, resource);\n'
HIDDEN = "see\N{ZERO WIDTH SPACE} here"


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that brings guards is installed."""
    monkeypatch.syspath_prepend(str(installed(tmp_path)))


def written(directory: Path, *rules: Any, **guards: Any) -> Path:
    path = directory / "doorward.yaml"
    looks = {"dispositions": rules, "guards": guards}
    document = {"upstreams": {"git": {"url": "https://git.example.com/mcp"}}, "policies": {"files": ["p.cedar"]}, "inspection": looks}
    path.write_text(json.dumps(document))
    (directory / "p.cedar").write_text(POLICY)
    return path


def ran(path: Path, command: str, *words: str, given: str | None = None) -> Result:
    result = CliRunner().invoke(main, ["guard", command, "-c", str(path), *words], input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def test_guards_are_listed_with_what_is_done_about_what_they_find(tmp_path: Path) -> None:
    path = written(tmp_path, {"guards": ["mine"], "then": "ask"}, mine={"use": "words", "settings": {"words": ["plan"]}})
    said = json.loads(ran(path, "list", "--json").stdout)["guards"]
    by_name = {one["name"]: one for one in said}
    assert {one["name"] for one in said} - {"mine"} <= set(GUARDS)
    assert {"size", "schema", "unicode", "own_secrets", "secrets", "pii", "injection", "links", "tricks"} <= set(by_name)
    assert by_name["own_secrets"] == {
        "name": "own_secrets",
        "kind": "built-in",
        "about": "Reports our own credentials, also where characters that are not seen were strewn into them.",
        "rules": {"own_credential": "high"},
        "request": {"low": "block", "medium": "block", "high": "block"},
        "response": {"low": "mask", "medium": "mask", "high": "mask"},
        "dispositions": [],
    }
    assert said[-1] == {
        "name": "mine",
        "kind": "words, closed",
        "about": "Words that the operator names.",
        "rules": {"word": "high"},
        "request": {"low": "pass", "medium": "block", "high": "block"},
        "response": {"low": "pass", "medium": "mask", "high": "block"},
        "dispositions": [0],
    }
    assert ran(path, "list").stdout.splitlines()[-1].split()[:2] == ["mine", "words,"]


def test_a_text_says_what_is_found_what_is_done_and_what_passes(tmp_path: Path) -> None:
    result = ran(written(tmp_path), "test", "unicode", "--text", HIDDEN)
    assert (result.exit_code, result.stdout.splitlines()[:2]) == (
        1,
        ["unicode/invisible_character medium at /content/0/text 3-4: mask (by default)", "passed on:"],
    )
    assert "see here" in result.stdout
    clean = ran(written(tmp_path), "test", "--text", "nothing")
    assert (clean.exit_code, clean.stdout.splitlines()[0]) == (0, "nothing is found")


def test_a_rule_is_named_that_decides(tmp_path: Path) -> None:
    path = written(tmp_path, {"guards": ["pii"], "then": "pass"}, {"guards": ["unicode"], "agents": ["robot"], "then": "spotlight"})
    said = json.loads(ran(path, "test", "--all", "--text", HIDDEN, "--agent", "robot", "--json").stdout)
    assert [(one["rule"], one["then"], one["by"]) for one in said["findings"]] == [("invisible_character", "spotlight", 1)]
    assert said["passed"]["content"][0]["text"].split("\n")[1] == HIDDEN
    assert said["passed"]["_meta"]["dev.doorward/findings"][0]["done"] == "spotlight"
    assert ran(path, "test", "--text", HIDDEN, "--json").exit_code == 1


MESSAGES: list[tuple[str, Any, str]] = [
    ("request", {"note": HIDDEN}, "/arguments/note"),
    (
        "request",
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "t", "arguments": {"note": HIDDEN}}},
        "/arguments/note",
    ),
    ("request", {"method": "resources/read", "params": {"uri": f"file:///{HIDDEN}"}}, "/arguments/uri"),
    ("response", {"content": [{"type": "text", "text": HIDDEN}]}, "/content/0/text"),
    ("response", {"jsonrpc": "2.0", "id": 1, "result": {"structuredContent": {"a": HIDDEN}}}, "/structuredContent/a"),
    ("response", {"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": HIDDEN}}, "/message"),
    ("notice", {"level": "info", "data": HIDDEN}, "/data"),
    ("notice", {"method": "notifications/progress", "params": {"progress": 1, "message": HIDDEN}}, "/message"),
]


@pytest.mark.parametrize(("direction", "message", "pointer"), MESSAGES)
def test_a_message_is_read_from_a_file_or_what_is_piped_in(tmp_path: Path, direction: str, message: Any, pointer: str) -> None:
    path = written(tmp_path)
    result = ran(path, "test", "unicode", "--file", "-", "--direction", direction, "--json", given=json.dumps(message))
    assert [one["pointer"] for one in json.loads(result.stdout)["findings"]] == [pointer]


def test_arguments_are_held_to_the_schema_of_an_accepted_tool(tmp_path: Path) -> None:
    path = written(tmp_path)
    words = ("test", "--file", "-", "--direction", "request", "--upstream", "git", "--tool", "push")
    unknown = ran(path, *words, given='{"force": 1}')
    assert (unknown.exit_code, "no tool 'push' of 'git' is accepted" in unknown.stderr) == (0, True)
    accept(tmp_path, "push")
    known = ran(path, *words, given='{"force": 1, "strange": 2}')
    assert (known.exit_code, known.stdout.startswith("schema/")) == (1, True)


def test_a_guard_of_others_is_tried_too_and_says_why_it_could_not_look(tmp_path: Path) -> None:
    guards = {"mine": {"use": "words", "settings": {"words": ["plan"]}}, "bad": {"use": "crashes"}}
    path = written(tmp_path, **guards)
    found = ran(path, "test", "mine", "--text", "the plan")
    assert found.stdout.splitlines() == [
        "mine/word high at /content/0/text 4-8: block (by default)",
        "refused: unsafe_response: The call ran; its result is withheld.",
    ]
    crashed = ran(path, "test", "bad", "--text", "crash")
    assert (crashed.stdout.splitlines()[0], crashed.stderr) == (
        "bad/guard_failed high at the whole: block (by default)",
        "bad/guard_failed: RuntimeError\n",
    )


@pytest.mark.parametrize(
    ("words", "given", "why"),
    [
        (("nobody", "--text", "x"), None, "there is no guard 'nobody'; there are size, "),
        (("--file", "-"), "{", "expected a message in JSON: "),
        (("--file", "-"), "[]", "expected a JSON object"),
        (("--text", "x", "--all", "unicode"), None, "expected one of --file and --text, and one of NAME and --all"),
        ((), None, "expected one of --file and --text, and one of NAME and --all"),
    ],
)
def test_what_cannot_be_tried_ends_with_two(tmp_path: Path, words: tuple[str, ...], given: str | None, why: str) -> None:
    result = ran(written(tmp_path), "test", *words, given=given)
    assert (result.exit_code, why in result.stderr) == (2, True), result.stderr


def test_a_guard_that_cannot_be_made_ends_with_two(tmp_path: Path) -> None:
    result = ran(written(tmp_path, mine={"use": "words"}), "list")
    assert (result.exit_code, result.stderr) == (2, "error: inspection.guards.mine: expected a list of words\n")


def test_a_check_names_rules_and_tools_that_nobody_has(tmp_path: Path) -> None:
    accept(tmp_path, "push")
    path = written(
        tmp_path,
        {"guards": ["pii"], "rules": ["emial"], "then": "pass"},
        {"tools": ["psh"], "severities": ["low"], "then": "pass"},
        {"guards": ["pii"], "rules": ["email"], "tools": ["push"], "then": "mask"},
        {"guards": ["mine"], "rules": ["whatever"], "then": "mask"},
        mine={"use": "words", "settings": {"words": ["plan"]}},
    )
    result = CliRunner().invoke(main, ["check", "-c", str(path)])
    assert result.stdout.splitlines() == [
        f'{path}: inspection.dispositions[0].rules[0]: no guard of these has a rule "emial"; did you mean "email"?',
        f'{path}: inspection.dispositions[1].tools[0]: no such tool is accepted; did you mean "push"?',
    ]
