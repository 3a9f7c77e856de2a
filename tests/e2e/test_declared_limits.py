"""Declared limits through a running gateway: two agents, what is left, refusals, reload, and a log that no refused agent can flood."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import REVISIONS, Client, Said
from tests.e2e.commands import asked, ordered
from tests.e2e.log import events, leaves
from tests.e2e.witness import Witness, witnessing
from tests.gateway import doorward, http_upstream, write_config
from tests.net.raw import Peer
from tests.upstream.kit import error

WIDE = {"calls_per_minute": 1_000_000, "burst": 1_000_000}
BUILT_IN = [
    "admission.calls_per_minute",
    "admission.concurrent",
    "admission.in_flight",
    "admission.requests",
    "admission.bytes_in_flight",
    "admission.bytes_in_flight_per_agent",
]
HOUR = 3600
SOON = range(HOUR // 2 - 60, HOUR // 2 + 1)
"""Half an hour, less what the test has taken."""


@pytest.fixture
def witness() -> Iterator[Witness]:
    """An upstream."""
    with witnessing() as made:
        yield made


def document(witness: Witness, **limits: Any) -> dict[str, Any]:
    return {"upstreams": {"witness": http_upstream(witness.url)}, "admission": WIDE, "limits": limits}


def of_tool(name: str, **more: Any) -> dict[str, Any]:
    return {"of": {"tools": [f"witness/{name}"]}, **more}


def limits(said: Said) -> Any:
    """What a result tells of limits."""
    return said.result["_meta"].get("dev.doorward/limits")


@pytest.mark.parametrize("revision", REVISIONS)
def test_what_is_left_is_told_and_an_agent_over_its_limit_is_told_which_and_nobody_else_is(
    tmp_path: Path, witness: Witness, revision: str
) -> None:
    echoes = of_tool("echo", per=["agent", "tool"], rate={"calls": 2, "seconds": HOUR})
    waits = of_tool("wait", per=[], concurrent=1)
    with doorward(tmp_path, document(witness, echoes=echoes, waits=waits)) as running:
        with Client(running.url("witness"), running.key(), revision) as client, Client(running.url("witness"), running.key("eve")) as eve:
            first = client.call("echo")
            [entry] = limits(first)
            wait = entry.pop("resetSeconds")
            assert (entry, wait in SOON) == ({"name": "echoes", "quota": 2, "windowSeconds": HOUR, "left": 1}, True)
            assert (first.headers["ratelimit-policy"], first.headers["ratelimit"]) == ('"echoes";q=2;w=3600', f'"echoes";r=1;t={wait}')
            assert limits(client.call("other")) is None
            assert "ratelimit" not in client.call("other").headers
            client.call("echo")
            over = client.call("echo", {"mark": "too many"})
            meta = over.result["_meta"]
            assert (over.reason, meta["dev.doorward/limit"]) == ("over_rate", "echoes")
            wait = meta["dev.doorward/retryAfterSeconds"]
            assert f"The limit `echoes` is reached: at most 2 in 3600 s. Wait {wait} s, then try again." in over.text
            assert (wait in SOON, over.headers["ratelimit"]) == (True, f'"echoes";r=0;t={wait}')
            pending = client.begin_call("wait", {"mark": "one"})
            witness.has_seen("one")
            shut = eve.call("wait")
            assert (shut.reason, shut.headers["ratelimit-policy"]) == ("over_concurrency", '"waits";q=1;qu="concurrent-requests"')
            assert eve.call("echo").reason == ""
            witness.release()
            assert pending.said().reason == ""
        rows = {one["name"]: one for one in asked(running, "limit", "list")["limits"]}
        assert rows["echoes"]["busiest"] == [
            {"key": {"agent": "tester", "tool": "witness/echo"}, "used": 2, "left": 0},
            {"key": {"agent": "eve", "tool": "witness/echo"}, "used": 1, "left": 1},
        ]
        assert (rows["waits"]["concurrent"], rows["waits"]["busiest"]) == (1, [])
        assert list(rows) == [*BUILT_IN, "echoes", "waits"]
        listed = ordered(running, "limit", "list")
        assert "tester witness/echo: 2, 0 left" in listed
        assert "67108864 bytes at once" in listed
    assert "too many" not in witness.marks()


@pytest.mark.parametrize("revision", REVISIONS)
def test_what_is_left_is_told_in_header_fields_also_of_errors_and_of_streams(tmp_path: Path, witness: Witness, revision: str) -> None:
    async def fails(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.send(error(message, -32000))

    async def breaks(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        peer.reset()

    witness.behaviours |= {"echo": fails, "other": breaks}
    calls = {"unit": "calls", "limit": 9, "window": {"seconds": 86_400}}
    whole = {
        **document(witness, each=of_tool("stream", concurrent=3), all={"rate": {"calls": 4, "seconds": HOUR}}),
        "budgets": {"sum": calls},
    }
    with doorward(tmp_path, whole) as running, Client(running.url("witness"), running.key(), revision) as client:
        failed, broken = client.call("echo"), client.call("other")
        assert failed.error["code"] == -32000
        assert told_left(failed) == {"all": 3, "sum": 8}
        assert (broken.reason, told_left(broken)) == ("upstream_broken", {"all": 2})
        pending = client.begin_call("stream", progressToken=1)
        assert pending.event() is not None
        streamed = {name.lower(): value for name, value in pending.opened().getheaders()}
        assert streamed["ratelimit-policy"] == '"all";q=4;w=3600,"each";q=3;qu="concurrent-requests","sum";q=9;qu="requests"'
        witness.release()
        assert limits(pending.said())[0]["left"] == 1


def told_left(said: Said) -> dict[str, int]:
    """What the header field says is left, by limit."""
    fields = said.headers["ratelimit"].split(",")
    return {name.strip('"'): int(rest.split(";")[0].removeprefix("r=")) for name, _, rest in (field.partition(";") for field in fields)}


def test_lists_are_limited_apart_from_calls_with_429_and_a_time_to_come_back(tmp_path: Path, witness: Witness) -> None:
    lists = {"of": {"methods": ["lists"]}, "rate": {"calls": 2, "seconds": HOUR}}
    with doorward(tmp_path, document(witness, lists=lists)) as running, Client(running.url("witness"), running.key()) as client:
        shown = client.ask("tools/list")
        assert (limits(shown)[0]["left"], shown.headers["ratelimit-policy"]) == (1, '"lists";q=2;w=3600')
        client.ask("prompts/list")
        over = client.ask("tools/list")
        wait = over.headers["retry-after"]
        assert (over.status, over.reason, int(wait) in SOON) == (429, "over_rate", True)
        assert (over.error["data"]["limit"], over.headers["ratelimit"]) == ("lists", f'"lists";r=0;t={wait}')
        assert client.call("echo").reason == ""


def test_a_reload_takes_over_other_limits_and_keeps_what_was_used(tmp_path: Path, witness: Witness) -> None:
    before = document(witness, few=of_tool("echo", rate={"calls": 1, "seconds": HOUR}))
    after = document(witness, few=of_tool("echo", rate={"calls": 3, "seconds": HOUR}))
    with doorward(tmp_path, before) as running, Client(running.url("witness"), running.key()) as client:
        assert [client.call("echo").reason for _ in range(2)] == ["", "over_rate"]
        write_config(tmp_path, after)
        ordered(running, "reload")
        assert [client.call("echo").reason for _ in range(3)] == ["", "", "over_rate"]
        write_config(tmp_path, document(witness))
        ordered(running, "reload")
        assert [client.call("echo").reason for _ in range(3)] == ["", "", ""]


def test_an_agent_that_is_refused_a_thousand_times_leaves_next_to_nothing_in_the_log(tmp_path: Path, witness: Witness) -> None:
    few = document(witness, few=of_tool("echo", rate={"calls": 1, "seconds": HOUR}))
    with doorward(tmp_path, few) as running, Client(running.url("witness"), running.key()) as client:
        assert [client.call("echo").reason for _ in range(1001)].count("over_rate") == 1000
    told = [leaf for leaf in leaves(tmp_path / "state") if leaf["type"] == "refusal"]
    counted = [leaf["fields"]["more"] for leaf in events(tmp_path / "state", "refusals_counted")]
    # One of each for every minute that has ended on the way.
    assert (len(told) <= 5, len(told) + sum(counted)) == (True, 1000)
