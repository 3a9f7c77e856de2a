"""Files of policy tests: read strictly, with places, and with every digit."""

from decimal import Decimal
from pathlib import Path

import pytest

from doorward.config.problems import ConfigError
from doorward.config.trials import Trials, parse_trials, read_trials

AT = Path("t.yaml")
ONE = "tests:\n  - {name: t, agent: {id: a}, call: bank/pay, expect: allow"


def wrong(text: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        parse_trials(text, AT)
    return list(raised.value.lines)


def read(text: str) -> Trials:
    return parse_trials(text, AT)


def test_arguments_keep_their_digits_and_texts_stay_texts() -> None:
    text = (
        ONE
        + ', arguments: {a: 750.00, b: 123456789012345678901234567890, c: "1.0", d: 0.30000000000000001665, e: [true, null, -1], f: 1e3}}'
    )
    assert read(text).arguments(0) == {
        "a": Decimal("750.00"),
        "b": 123456789012345678901234567890,
        "c": "1.0",
        "d": Decimal("0.30000000000000001665"),
        "e": [True, None, -1],
        "f": Decimal("1e3"),
    }
    assert read(ONE + "}").arguments(0) == {}


def test_everything_that_a_test_may_say_is_read_with_its_line() -> None:
    found = read(
        """
agents:
  claude: {team: support, owner: ann, kind: desktop}
tools:
  bank/pay: {type: object}
prompts:
  bank/review: {arguments: [code], required: [code]}
tests:
  - name: one
    agent: claude
    user: corp:ann
    groups: [corp:finance]
    actors: [claude, {id: other}]
    call: bank/pay
    arguments: {amount: 1}
    at: 2026-01-07T12:00:00+01:00
    network: 10.0.0.1
    authn: access_token
    issuer: corp
    client: c
    scopes: ["mcp:read"]
    bound: dpop
    certificate: true
    expect: ask
    by: [large]
    approvers: [finance]
    needs: {finance: 2}
    reason: large
    visible: true
  - {name: two, agent: claude, resource: "file:///x", upstream: bank, visible: false}
  - {name: three, agent: claude, prompt: bank/review, expect: deny}
  - {name: four, agent: claude, completion: bank, expect: deny}
"""
    )
    assert [(case.name, found.line("tests", number)) for number, case in enumerate(found.file.tests)] == [
        ("one", 9),
        ("two", 30),
        ("three", 31),
        ("four", 32),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tests: []", "t.yaml:1:1: tests: expected at least one test"),
        ("tests: [", "this is not YAML"),
        (ONE + ", when: now}", "t.yaml:2:62: tests[0].when: no field of this name exists"),
        (ONE + ", bound: tight}", 'or "dpop", got the text "tight"'),
        (ONE + ", certificate: 1}", "expected true or false, got 1"),
        (ONE + ", by: x}", "expected a sequence"),
        (ONE + ", prompt: a/b}", "expected one of call, prompt, resource and completion"),
        (ONE + ", upstream: a}", "expected upstream beside resource"),
        (ONE + ", groups: [a]}", "t.yaml:2:62: tests[0].groups: expected user"),
        (ONE + ", authn: own}", "no agent proves itself so"),
        (ONE + ", actors: [x]}", "there is no agent 'x' under agents"),
        (
            "tests: [{name: t, agent: x, call: a/b, expect: allow}]",
            "t.yaml:1:19: tests[0].agent: there is no agent 'x' under agents",
        ),
        ("tests: [{name: t, agent: {team: x}, call: a/b, expect: allow}]", "the field `id` is missing"),
        ("tests: [{name: t, agent: {id: x}, call: a/b}]", "expected expect or visible"),
        ("tests: [{name: t, agent: {id: x}, call: a/b, visible: true, by: [p]}]", "by says more of what expect says"),
        ("tests: [{name: t, agent: {id: x}, resource: a, upstream: b, arguments: {a: 1}, visible: true}]", "no arguments but its URI"),
        ("tests: [{name: t, agent: {id: x}, call: a/b, call: a/b, expect: deny}]", "this key stands here twice"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    (line,) = wrong(text)
    assert told in line


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_bytes(b"tests: \xff")
    for path, told in ((tmp_path / "none.yaml", "cannot be read"), (tmp_path / "t.yaml", "byte 8 is not")):
        with pytest.raises(ConfigError, match=told):
            read_trials(path)
