"""Rules about findings, and guards that somebody else's package brings, on a running gateway: honest, hanging, crashing and lying ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import REVISIONS, Client, Json, Said
from tests.e2e.commands import ordered, told
from tests.e2e.log import of_call
from tests.e2e.witness import Witness, tool, witnessing
from tests.gateway import Running, doorward, http_upstream, start, stop, write_config
from tests.inspection.plugins.packages import installed
from tests.net.raw import Peer, response
from tests.upstream.kit import Answering, result

HIDDEN = "see\N{ZERO WIDTH SPACE} here"
SAYS = {
    "echo": "fine",
    "masked": HIDDEN,
    "labelled": HIDDEN,
    "spotlit": HIDDEN,
    "blocked": HIDDEN,
    "plans": "the plan",
    "asked": HIDDEN,
    "lies": "a lie",
}
"""What each tool answers, whatever it is asked."""
RULES: list[Json] = [
    {"guards": ["unicode"], "tools": ["labelled"], "then": "label"},
    {"guards": ["unicode"], "tools": ["spotlit"], "then": "spotlight"},
    {"guards": ["unicode"], "tools": ["blocked"], "then": "block"},
    {"guards": ["unicode"], "tools": ["asked"], "then": "ask"},
    {"guards": ["plans"], "tools": ["plans"], "then": "mask"},
    {"guards": ["crashing"], "then": "pass"},
]
GUARDS: dict[str, Json] = {
    "plans": {"use": "later-words", "settings": {"words": ["plan"]}, "milliseconds": 20_000},
    "hanging": {"use": "hangs", "milliseconds": 200},
    "crashing": {"use": "crashes", "milliseconds": 20_000},
    "lying": {"use": "lies", "milliseconds": 20_000},
    "watching": {"use": "words", "settings": {"words": ["watched"]}, "mode": "observe", "milliseconds": 20_000},
}


def document(witness: Witness, **guards: Json) -> Json:
    looks = {"dispositions": RULES, "guards": {**GUARDS, **guards}}
    asks = {"findings": "security", "wait_seconds": 0}
    return {"upstreams": {"up": http_upstream(witness.url)}, "inspection": looks, "approvals": asks}


def saying(text: str) -> Answering:
    """A tool that says this."""

    async def says(peer: Peer, message: Json, head: bytes) -> None:
        body = {"content": [{"type": "text", "text": text}], "_meta": {"dev.doorward/findings": "forged"}, "resultType": "complete"}
        await peer.send(response(result(message, body)))

    return says


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    """An upstream whose tools say what they always say."""
    made = Witness()
    made.tools = [tool(name) for name in SAYS]
    made.behaviours = {name: saying(text) for name, text in SAYS.items()}
    with witnessing(made) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, witness: Witness) -> Iterator[Running]:
    """A gateway with rules and guards of others."""
    directory = tmp_path_factory.mktemp("guards")
    with doorward(directory, document(witness), environment={"PYTHONPATH": str(installed(directory))}) as gateway:
        yield gateway


def called(running: Running, name: str, mark: str = "fine", revision: str = REVISIONS[-1]) -> Said:
    with Client(running.url("up"), running.key(), revision) as client:
        return client.call(name, {"mark": mark})


def done(running: Running, said: Said) -> list[tuple[str, str, str]]:
    """Guard, rule and what was done, of the call's last leaf."""
    found = of_call(running.directory / "state", said.receipt)[-1].get("findings", ())
    return [(one["guard"], one["rule"], one["done"]) for one in found]


def say_yes(running: Running, reference: str) -> None:
    digest = json.loads(ordered(running, "approval", "show", reference, "--json"))["digest"]
    ordered(running, "approval", "approve", reference, "--digest", digest)


@pytest.mark.parametrize("revision", REVISIONS)
def test_each_rule_does_what_it_says_in_every_revision(running: Running, revision: str) -> None:
    label = {"guard": "unicode", "rule": "invisible_character", "severity": "medium", "pointer": "/content/0/text"}
    expected: list[tuple[str, str, object]] = [("masked", "redact", None), ("labelled", "label", [{**label, "done": "label"}])]
    for name, what, labels in expected:
        said = called(running, name, revision=revision)
        assert (said.text, said.result["_meta"].get("dev.doorward/findings")) == ("see here" if name == "masked" else HIDDEN, labels)
        assert done(running, said) == [("unicode", "invisible_character", what)]
    marks = []
    for _ in range(2):
        said = called(running, "spotlit", revision=revision)
        head, text, tail = said.text.split("\n")
        marks.append(head.split()[2].removesuffix(":"))
        assert (text, tail) == (HIDDEN, f"[end of untrusted content {marks[-1]}]")
        assert said.result["_meta"]["dev.doorward/findings"] == [{**label, "done": "spotlight"}]
    assert marks[0] != marks[1]
    said = called(running, "blocked", revision=revision)
    assert (said.reason, HIDDEN in said.raw.decode()) == ("unsafe_response", False)
    assert done(running, said) == [("unicode", "invisible_character", "block")]


def test_guards_of_another_package_find_and_the_rules_dispose(running: Running, witness: Witness) -> None:
    said = called(running, "plans")
    assert (said.text, done(running, said)) == ("the [withheld: word]", [("plans", "word", "redact")])
    before = len(witness.calls())
    refused = called(running, "echo", "a plan")
    assert (refused.reason, len(witness.calls())) == ("unsafe_request", before)
    assert done(running, refused) == [("plans", "word", "block")]
    watched = called(running, "echo", "watched")
    assert (watched.text, done(running, watched)) == ("fine", [("watching", "word", "pass")])


@pytest.mark.parametrize(
    ("mark", "finding"), [("crash on s3cret", ("crashing", "guard_failed", "block")), ("a lie", ("lying", "guard_untrue", "block"))]
)
def test_a_guard_that_crashes_or_lies_lets_nothing_past_even_where_a_rule_says_pass(
    running: Running, witness: Witness, mark: str, finding: tuple[str, str, str]
) -> None:
    before = len(witness.calls())
    said = called(running, "echo", mark)
    assert (said.reason, len(witness.calls()), done(running, said)) == ("unsafe_request", before, [finding])
    assert "s3cret" not in running.journal.read_text()


def test_an_answer_waits_for_a_person_and_is_shown_once_without_the_call_being_made_again(running: Running, witness: Witness) -> None:
    waits = called(running, "asked")
    reference = waits.result["_meta"]["dev.doorward/approval"]
    assert (waits.reason, reference in waits.text, HIDDEN in waits.raw.decode()) == ("unsafe_response", True, False)
    assert "the call has run; guards found unicode/invisible_character in its result" in ordered(running, "approval", "show", reference)
    assert (called(running, "asked").reason, len(witness.calls("asked"))) == ("unsafe_response", 1)
    say_yes(running, reference)
    shown = called(running, "asked")
    assert (shown.text, len(witness.calls("asked"))) == (HIDDEN, 1)
    intent, outcome = of_call(running.directory / "state", shown.receipt)
    assert (intent["approval"]["id"], intent["credential"], outcome["result"]["status"]) == (reference, {"kind": "none"}, "delivered")


def test_a_restart_loses_an_answer_that_waits_and_the_retry_says_so_and_makes_nothing(tmp_path: Path, witness: Witness) -> None:
    environment = {"PYTHONPATH": str(installed(tmp_path))}
    with doorward(tmp_path, document(witness), environment=environment) as first:
        before = len(witness.calls("asked"))
        reference = called(first, "asked").result["_meta"]["dev.doorward/approval"]
        say_yes(first, reference)
        key = first.key()
    again = start(tmp_path, environment)
    try:
        with Client(again.url("up"), key) as client:
            lost = client.call("asked", {"mark": "fine"})
        assert lost.text.startswith("The call ran; its result was kept for a person's yes and is gone now. It was not made again;")
        assert len(witness.calls("asked")) == before + 1
    finally:
        stop(again)


def test_a_result_that_a_guard_lies_about_is_withheld(running: Running) -> None:
    said = called(running, "lies")
    assert (said.reason, done(running, said)) == ("unsafe_response", [("lying", "guard_untrue", "block")])


def test_a_guard_that_hangs_costs_no_more_than_its_threads_and_then_nothing(running: Running, witness: Witness) -> None:
    """After the others: it hangs for good."""
    before = len(witness.calls())
    rules = [done(running, called(running, "echo", "hang"))[0][1] for _ in range(6)]
    assert (rules, len(witness.calls())) == (["guard_late"] * 4 + ["guard_busy"] * 2, before)
    assert {event["guard"] for event in running.events("guard_late")} == {"hanging"}
    # Nobody is let past it; without it, calls go on.
    assert called(running, "echo").reason == "unsafe_request"
    fewer = document(witness)
    del fewer["inspection"]["guards"]["hanging"]
    write_config(running.directory, fewer)
    assert told(running, "reload")[0] == 0
    assert called(running, "echo").text == "fine"


def test_a_guard_that_cannot_be_made_keeps_the_old_configuration(running: Running, witness: Witness) -> None:
    write_config(running.directory, document(witness, broken={"use": "words", "settings": {"wrds": []}}))
    code, said = told(running, "reload")
    assert (code, "inspection.guards.broken: unknown settings wrds; known are severity and words" in said) == (1, True), said
    assert called(running, "plans").text == "the [withheld: word]"
