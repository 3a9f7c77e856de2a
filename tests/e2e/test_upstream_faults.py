"""Upstreams that are down, hang, reset or talk nonsense: a valid error that names them and says whether the call may have run; others go on."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.client import EXCHANGE, REVISIONS, Client, Json
from tests.e2e.log import PATIENT, of_call, until
from tests.e2e.witness import Witness, tool, witnessing
from tests.gateway import Running, doorward, http_upstream, stdio_upstream
from tests.net.raw import STREAM_HEAD, Peer, chunk, response
from tests.upstream.kit import Answering, event, result, saying
from tests.upstream.servers import SESSION, script

SHORT = {"connect": 0.5, "first_byte": 0.5, "idle": 0.5, "total": 1}
CAP = 10_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MAYBE, NOT_MADE = "may have run", "was not made"


async def hang(peer: Peer, message: Json, head: bytes) -> None:
    """Says nothing."""
    await peer.gone()


async def reset(peer: Peer, message: Json, head: bytes) -> None:
    """Ends the connection with RST."""
    peer.reset()


async def close(peer: Peer, message: Json, head: bytes) -> None:
    """Ends the connection in good order, without an answer."""
    peer.close()


async def halve(peer: Peer, message: Json, head: bytes) -> None:
    """Says half of its answer, then nothing."""
    whole = response(result(message, {"content": [], "resultType": "complete"}))
    await peer.send(whole[: len(whole) - 20])
    await peer.gone()


async def answer_another(peer: Peer, message: Json, head: bytes) -> None:
    """Answers a request that nobody made."""
    await peer.send(response(result({"id": message["id"] + 1000}, {"content": [], "resultType": "complete"})))


async def go_on(peer: Peer, message: Json, head: bytes) -> None:
    """One event without end."""
    await peer.send(STREAM_HEAD)
    await peer.send(chunk(b"data: "))
    while True:
        await peer.send(chunk(b"x" * 1000))


async def chatter(peer: Peer, message: Json, head: bytes) -> None:
    """Notifications without end, and never an answer."""
    await peer.send(STREAM_HEAD)
    ping = event({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "debug", "data": "x"}})
    while True:
        await peer.send(chunk(ping))


async def give_too_much(peer: Peer, message: Json, head: bytes) -> None:
    """A result beyond the cap, in chunks."""
    await peer.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        await peer.send(chunk(b" " * 1000))


FAULTS: dict[str, tuple[Answering, str, str]] = {
    "hangs": (hang, "upstream_timeout", MAYBE),
    "halves": (halve, "upstream_timeout", MAYBE),
    "chatters": (chatter, "upstream_timeout", MAYBE),
    "resets": (reset, "upstream_broken", MAYBE),
    "closes": (close, "upstream_broken", MAYBE),
    "another": (answer_another, "upstream_broken", MAYBE),
    "endless": (go_on, "upstream_broken", MAYBE),
    "oversize": (give_too_much, "upstream_broken", MAYBE),
    "no-http": (saying(b"SSH-2.0-OpenSSH_9.6\r\n"), "upstream_broken", MAYBE),
    "html": (saying(response(b"<html>", kind="text/html")), "upstream_broken", MAYBE),
    "no-json": (saying(response(b'{"jsonrpc":"2.0"')), "upstream_broken", MAYBE),
    "empty": (saying(response(b"")), "upstream_broken", MAYBE),
    "failure": (saying(response(b"oops", status="500 Internal Server Error", kind="text/plain")), "upstream_broken", MAYBE),
    "gone": (saying(response(b"no", status="401 Unauthorized", kind="text/plain")), "credential_refused", NOT_MADE),
    "redirect": (saying(response(b"", "Location: http://127.0.0.1:1/", status="302 Found")), "upstream_broken", MAYBE),
}

SERVER = """
def call(message):
    mark = message["params"].get("arguments", {}).get("mark")
    if mark == "dies":
        os._exit(1)
    if mark == "garbage":
        sys.stdout.write("this is no json\\n")
        sys.stdout.flush()
    if mark == "hangs":
        return
    result(message, {"content": [{"type": "text", "text": str(os.getpid())}]})
"""


@pytest.fixture(scope="module")
def bad() -> Iterator[Witness]:
    """An upstream that knows every fault, by the name of the tool."""
    witness = Witness()
    witness.tools += [tool(name) for name in FAULTS]
    witness.behaviours |= {name: fault for name, (fault, _, _) in FAULTS.items()}
    with witnessing(witness) as made:
        yield made


@pytest.fixture(scope="module")
def good() -> Iterator[Witness]:
    """An upstream without fault."""
    with witnessing() as made:
        yield made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, bad: Witness, good: Witness) -> Iterator[Running]:
    """A gateway in front of both, of one that is down, and of a process."""
    upstreams = {
        "bad": http_upstream(bad.url, timeouts=SHORT, result_bytes=CAP),
        "good": http_upstream(good.url),
        "process": stdio_upstream(script(SERVER, SESSION), timeouts=SHORT),
    }
    admission = {"calls_per_minute": 1_000_000, "burst": 1_000_000}
    with doorward(tmp_path_factory.mktemp("faults"), {"upstreams": upstreams, "admission": admission, "runaway": PATIENT}) as gateway:
        yield gateway


@pytest.fixture
def others(running: Running) -> Iterator[list[str]]:
    """Somebody who calls another upstream all the while; what went wrong for them, which must be nothing."""
    over, count, wrong, key = threading.Event(), 0, list[str](), running.key("other")

    def call() -> None:
        nonlocal count
        with Client(running.url("good"), key) as client:
            while not over.is_set():
                said = client.call("echo", {"mark": str(count)})
                if said.text != json.dumps({"mark": str(count)}):
                    wrong.append(said.text)
                count += 1

    thread = threading.Thread(target=call)
    thread.start()
    until(lambda: count)
    try:
        yield wrong
    finally:
        over.set()
        thread.join(10)
    assert wrong == []


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_a_valid_error_and_harms_no_other_call(running: Running, bad: Witness, others: list[str], name: str) -> None:
    _, reason, ran = FAULTS[name]
    for revision in REVISIONS if name in ("resets", "html") else (REVISIONS[len(name) % 3],):
        with Client(running.url("bad"), running.key(), revision) as client:
            before = len(bad.calls(name))
            said = client.call(name)
            assert said.status == (TIMED_OR_BROKEN[reason] if revision == EXCHANGE else 200)
            assert (said.reason, ran in said.error["message"], "`bad`" in said.error["message"]) == (reason, True, True), said.error
            assert len(bad.calls(name)) == before + 1
            outcome = of_call(running.directory / "state", said.receipt)[-1]
            assert (outcome["result"]["status"], outcome["result"]["reason"]) == ("failed" if ran == MAYBE else "not_forwarded", reason)
            assert client.call("echo", {"mark": "and on"}).text == json.dumps({"mark": "and on"})


TIMED_OR_BROKEN = {"upstream_timeout": 504, "upstream_broken": 502}


def test_upstream_that_is_down_is_said_to_be_and_serves_again_when_it_is_back(tmp_path: Path) -> None:
    with ExitStack() as stack:
        with witnessing() as witness:
            port = int(witness.url.split(":")[2].split("/")[0])
            upstreams = {"up": http_upstream(witness.url, timeouts=SHORT, refresh_seconds=0.3)}
            running = stack.enter_context(doorward(tmp_path, {"upstreams": upstreams}))
        client = stack.enter_context(Client(running.url("up"), running.key()))
        said = client.call("echo")
        assert (said.reason, said.status) == ("upstream_unreachable", 502)
        assert "`up` could not be reached; the call was not made" in said.error["message"]
        assert client.ask("tools/list").result["tools"]
        assert of_call(tmp_path / "state", said.receipt)[-1]["result"]["status"] == "not_forwarded"
        with witnessing(port=port):
            assert client.call("echo", {"mark": "back"}).text == json.dumps({"mark": "back"})


def test_upstream_that_is_down_from_the_beginning_keeps_nobody_from_starting(tmp_path: Path, good: Witness) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    upstreams = {"down": http_upstream(f"http://127.0.0.1:{port}/mcp", timeouts=SHORT), "good": http_upstream(good.url)}
    with doorward(tmp_path, {"upstreams": upstreams}) as running, Client(running.url(), running.key()) as client:
        assert client.call("good__echo").text
        assert {one["id"]: one["state"] for one in running.admin.get("/v1/status")["upstreams"]}["down"] != "up"
        [missed] = running.events("upstream_missed")[:1]
        assert missed["upstream"] == "down"
        with witnessing(port=port):
            until(lambda: "down__echo" in [item["name"] for item in client.ask("tools/list").result["tools"]])


def test_process_that_dies_hangs_or_talks_nonsense_is_said_to_and_is_started_again(running: Running, others: list[str]) -> None:
    for revision in REVISIONS:
        with Client(running.url("process"), running.key(), revision) as client:
            first = client.call("echo").text
            assert client.call("echo", {"mark": "garbage"}).text == first
            hung = client.call("echo", {"mark": "hangs"})
            assert (hung.reason, MAYBE in hung.error["message"]) == ("upstream_timeout", True)
            died = client.call("echo", {"mark": "dies"})
            assert (died.reason, MAYBE in died.error["message"]) == ("upstream_broken", True)
            again = until(lambda client=client: one if not (one := client.call("echo")).reason else None)  # type: ignore[misc]
            assert again.text != first


@pytest.mark.parametrize("revision", REVISIONS)
def test_session_that_an_upstream_lost_is_opened_again_without_harm_to_the_client(tmp_path: Path, revision: str) -> None:
    with (
        witnessing(Witness("session")) as witness,
        doorward(tmp_path, {"upstreams": {"old": http_upstream(witness.url)}}) as running,
        Client(running.url("old"), running.key(), revision) as client,
    ):
        assert client.call("echo", {"mark": "before"}).text == json.dumps({"mark": "before"})
        witness.lose_sessions()
        said = client.call("echo", {"mark": "after"})
        assert said.text == json.dumps({"mark": "after"})
        assert witness.marks().count("after") == 2
        assert [leaf["type"] for leaf in of_call(tmp_path / "state", said.receipt)] == ["intent", "outcome"]
