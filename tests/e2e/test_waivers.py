"""Exceptions with an end and broken glass on a running gateway: they let pass what they say, are seen by everybody, and are gone by themselves."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.client import Client, Json, Said
from tests.e2e.commands import asked, metric, ordered, told
from tests.e2e.log import events, of_call, until
from tests.e2e.operating import GROUPS, company
from tests.e2e.witness import Witness, witnessing
from tests.gateway import PERMIT_ALL, Running, http_upstream, start, stop, write_config

POLICIES = (
    PERMIT_ALL
    + """
@id("no-echo")
@reason("Nothing is echoed.")
@exception("security")
forbid (principal, action == Action::"books/echo", resource);

@id("never-other")
@reason("Nobody calls other.")
forbid (principal, action == Action::"books/other", resource);

@id("streams-are-seen")
@reason("Somebody looks at streams.")
@approval("finance")
forbid (principal, action == Action::"books/wait", resource);
"""
)
CHANGED = POLICIES.replace("Nothing is echoed.", "Nothing at all is echoed.")
ME = getpass.getuser()


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    """An upstream."""
    with witnessing() as made:
        yield made


def document(witness: Witness, **policies: object) -> Json:
    """One upstream of the team `finance`."""
    return {
        "upstreams": {"books": http_upstream(witness.url, team="finance")},
        "policies": {"files": ["policy.cedar"], **policies},
        "approvals": {"wait_seconds": 0},
    }


@pytest.fixture
def running(tmp_path: Path, witness: Witness) -> Iterator[Running]:
    """A gateway where whoever runs this may break the glass for a quarter of an hour."""
    write_config(tmp_path, document(witness, break_glass={"operators": [ME], "minutes": 15}), POLICIES)
    gateway = start(tmp_path)
    gateway.key()
    try:
        yield gateway
    finally:
        if gateway.process.poll() is None:
            stop(gateway)


def call(running: Running, tool: str, agent: str = "tester") -> Said:
    """One call."""
    with Client(running.url("books"), running.key(agent)) as client:
        return client.call(tool, {"mark": agent})


def soon(seconds: float) -> str:
    """A moment as the command line takes it."""
    return datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()


def test_an_exception_lets_one_agent_do_one_thing_is_listed_and_named_and_ends_by_itself(running: Running) -> None:
    assert (call(running, "echo").reason, call(running, "echo", "eve").reason) == ("unknown_target", "unknown_target")
    words = ("exception", "add", "tester", "books/echo", "--lift", "no-echo", "--reason", "year-end, FIN-311")
    assert told(running, *words)[0] == 2  # an end is required
    given = asked(running, *words, "--until", soon(3))
    [listed] = asked(running, "exception", "list")["exceptions"]
    assert (listed["agent"], listed["action"], listed["lifts"], listed["reason"], listed["by"]) == (
        "tester",
        "books/echo",
        ["no-echo"],
        "year-end, FIN-311",
        ME,
    )
    passed = call(running, "echo")
    assert (passed.reason, call(running, "echo", "eve").reason) == ("", "unknown_target")
    decision = of_call(running.directory / "state", passed.receipt)[0]["decision"]
    assert (decision["effect"], decision["waiver"]) == ("allow", given["id"])
    found = asked(running, "log", "list", "--waiver", given["id"], "--type", "intent")["leaves"]
    assert [one["leaf"]["call"] for one in found] == [passed.receipt]
    until(lambda: events(running.directory / "state", "exception_expired"))
    assert (call(running, "echo").reason, asked(running, "exception", "list")["exceptions"]) == ("unknown_target", [])


def test_an_exception_lifts_nothing_whose_author_did_not_offer_it_and_ends_at_a_word(running: Running) -> None:
    never = ("exception", "add", "tester", "books/other", "--lift", "never-other", "--reason", "because", "--for", "1h")
    code, said = told(running, *never)
    assert (code, "never-other" in said) == (1, True), said
    given = asked(running, "exception", "add", "tester", "books", "--lift", "no-echo", "--reason", "everything there", "--for", "1h")
    # It permits all of the upstream; what forbids denies as ever, and who must be asked is asked.
    assert [call(running, tool).reason for tool in ("echo", "other", "wait", "stream")][:3] == ["", "unknown_target", "pending"]
    ordered(running, "exception", "end", given["id"])
    assert call(running, "echo").reason == "unknown_target"
    assert told(running, "exception", "add", "tester", "books", "--reason", "too long", "--for", "91d")[0] != 0


def test_an_exception_outlives_a_kill_and_not_another_text_of_what_it_lifts(running: Running, witness: Witness) -> None:
    given = asked(running, "exception", "add", "tester", "books/echo", "--lift", "no-echo", "--reason", "for the audit", "--for", "1h")
    running.kill()
    again = start(running.directory)
    again.keys |= running.keys
    try:
        assert call(again, "echo").reason == ""
        write_config(again.directory, document(witness, break_glass={"operators": [ME], "minutes": 15}), CHANGED)
        told(again, "reload")
        assert call(again, "echo").reason == "unknown_target"
        [listed] = asked(again, "exception", "list")["exceptions"]
        assert (listed["id"], len(listed["notes"])) == (given["id"], 1)
    finally:
        assert stop(again) == 0


def test_a_broken_glass_is_loud_everywhere_and_over_by_itself(running: Running) -> None:
    words = ("break-glass", "open", "tester", "--reason", "Checkout is down, this is too slow", "--yes")
    assert told(running, *words, "--for", "16m")[0] == 1
    assert told(running, "break-glass", "open", "tester", "--for", "5m", "--reason", "short", "--yes")[0] == 1
    assert metric(running, "doorward_glass_broken") == 0
    code, said = told(running, *words, "--for", "0.05m")
    assert (code, "THE GLASS IS BROKEN for tester (everything)" in said) == (0, True), said
    passed = [call(running, tool) for tool in ("echo", "other")]
    assert [one.reason for one in passed] == ["", ""]
    # Log, journal, metric, status, list.
    [broken] = events(running.directory / "state", "glass_broken")
    glass = broken["fields"]["waiver"] if "waiver" in broken["fields"] else broken["fields"]["id"]
    assert (broken["by"], broken["fields"]["reason"]) == (ME, "Checkout is down, this is too slow")
    assert [line["level"] for line in running.events("glass_broken")] == ["error"]
    assert metric(running, "doorward_glass_broken") == 1
    status = asked(running, "status")
    assert any("tester" in line and ME in line and "Checkout is down" in line for line in status["warnings"]), status["warnings"]
    assert "Checkout is down" in ordered(running, "break-glass", "list")
    for one in passed:
        decision = of_call(running.directory / "state", one.receipt)[0]["decision"]
        assert (decision["effect"], decision["waiver"], decision["would"]["effect"]) == ("allow", glass, "deny")
    assert call(running, "echo", "eve").reason == "unknown_target"
    until(lambda: events(running.directory / "state", "glass_expired"))
    assert [call(running, tool).reason for tool in ("echo", "other")] == ["unknown_target", "unknown_target"]
    assert (metric(running, "doorward_glass_broken"), asked(running, "break-glass", "list")["broken"]) == (0, [])


def test_a_stop_goes_before_a_broken_glass(running: Running) -> None:
    ordered(running, "break-glass", "open", "tester", "books/other", "--for", "5m", "--reason", "Checkout is down.", "--yes")
    [opened] = asked(running, "break-glass", "list")["broken"]
    assert (call(running, "other").reason, call(running, "echo").reason) == ("", "unknown_target")
    ordered(running, "stop", "agent", "tester", "--reason", "enough")
    assert call(running, "other").reason == "stopped"
    ordered(running, "resume", "agent", "tester")
    assert call(running, "other").reason == ""
    ordered(running, "break-glass", "close", opened["id"], "--yes")
    assert call(running, "other").reason == "unknown_target"


@pytest.mark.peer
def test_of_a_company_few_break_the_glass_and_each_excepts_what_is_theirs(tmp_path: Path, witness: Witness) -> None:
    """Admins are not among the few; owners except for their own upstreams, and nobody for an agent that is theirs."""
    groups = {**GROUPS, "finance": {"role": "owner", "teams": ["finance"]}, "web-leads": {"role": "owner", "teams": ["web"]}}
    with company(tmp_path, witness, POLICIES) as corp:
        corp.document["policies"] = {"files": ["policy.cedar"], "break_glass": {"operators": ["corp:vic"]}}
        corp.change(groups, POLICIES)
        corp.running.key("tester")
        ada, ines, vic = (corp.signed_in(name) for name in ("ada", "ines", "vic"))
        open_ = ("break-glass", "open", "tester", "--for", "5m", "--reason", "Checkout is down.", "--yes")
        assert [person.tells(*open_)[0] for person in (ada, ines)] == [1, 1]
        assert told(corp.running, *open_)[0] == 1
        assert "THE GLASS IS BROKEN" in vic.gets(*open_)
        assert (ada.tells("break-glass", "list")[1].count("corp:vic"), call(corp.running, "other").reason) == (1, "")
        give = ("exception", "add", "tester", "books/wait", "--for", "1h", "--reason", "for a while")
        assert (vic.tells(*give)[0], ines.tells(*give, "--lift", "no-echo")[0], ines.tells(*give)[0]) == (1, 1, 0)
        assert ines.tells("exception", "add", "tester", "up/echo", "--for", "1h", "--reason", "not mine")[0] == 1
        ada.gets("agent", "add", "adas", "--team", "web")
        assert ada.tells("exception", "add", "adas", "books/echo", "--for", "1h", "--reason", "for myself")[0] == 1
