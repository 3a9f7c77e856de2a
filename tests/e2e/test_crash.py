"""`kill -9` under load: what was acknowledged is in the log, what an upstream saw has its intent, and the log verifies each time."""

import http.client
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from doorward import verifier
from tests.e2e.client import EXCHANGE, Client
from tests.e2e.log import Leaf, leaves, veil, verified, vkey
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, http_upstream, start, stop, write_config

ROUNDS = 10
SOAK_ROUNDS = 1000
REVISIONS = (EXCHANGE, EXCHANGE, "2025-11-25", "2025-06-18")
"""What the callers speak."""
WAIT_SECONDS = 30


@dataclass
class Load:
    """Callers that call as fast as they can until the gateway dies, and what they were told."""

    running: Running
    number: int
    sessions: dict[int, str]
    """The sessions of session-era callers, which go on where they were when the gateway is back."""
    enough: int
    acknowledged: dict[str, str] = field(default_factory=dict)
    """Receipt by mark."""
    errors: list[str] = field(default_factory=list)
    is_enough: threading.Event = field(default_factory=threading.Event)

    def run(self, key: str) -> None:
        """Kills the gateway once enough calls are acknowledged, with all callers in the middle of theirs."""
        threads = [threading.Thread(target=self._call, args=(caller, key)) for caller in range(len(REVISIONS))]
        for thread in threads:
            thread.start()
        assert self.is_enough.wait(WAIT_SECONDS), self.errors
        self.running.kill()
        for thread in threads:
            thread.join(WAIT_SECONDS)

    def _call(self, caller: int, key: str) -> None:
        with Client(self.running.url("witness"), key, REVISIONS[caller], session=self.sessions.get(caller, "")) as client:
            try:
                for turn in range(1_000_000):
                    self._once(client, f"round {self.number} caller {caller} turn {turn}")
                    self.sessions[caller] = client.session
            except (OSError, http.client.HTTPException):
                return  # killed
            except BaseException as error:
                self.errors.append(repr(error))
                raise

    def _once(self, client: Client, mark: str) -> None:
        said = client.call("echo", {"mark": mark})
        assert mark in said.text, said
        self.acknowledged[mark] = said.receipt
        if len(self.acknowledged) >= self.enough:
            self.is_enough.set()


class Book:
    """The log of a state directory, read on from where it was read to."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.leaves: list[Leaf] = []
        self.intents: dict[str, Leaf] = {}
        self.outcomes: dict[str, list[Leaf]] = {}

    def read(self) -> list[Leaf]:
        """The leaves that are new."""
        news = leaves(self.state, len(self.leaves) - 1)
        self.leaves += news
        for leaf in news:
            if leaf["type"] == "intent":
                self.intents[leaf["call"]] = leaf
            elif leaf["type"] == "outcome":
                self.outcomes.setdefault(leaf["call"], []).append(leaf)
        return news

    def open(self) -> set[str]:
        """Calls that have an intent and no outcome."""
        return self.intents.keys() - self.outcomes.keys()


def killed(directory: Path, rounds: int) -> None:
    """Kills and restarts one gateway so many times, and looks after each kill and each restart."""
    state = directory / "state"
    book, sessions, seen, key = Book(state), dict[int, str](), 0, ""
    standing: set[str] = set()
    with witnessing() as witness:
        for number in range(rounds):
            is_strict = number % 2 == 1
            running = begun(directory, witness, is_strict)
            closed = {leaf["call"] for leaf in book.read() if leaf.get("result", {}).get("status") == "unknown"}
            assert closed == standing
            assert all(len(found) == 1 for found in book.outcomes.values())
            key = key or running.key()
            load = Load(running, number, sessions, enough=1 + number * 7 % 60)
            load.run(key)
            assert load.errors == []
            check_kill(book, witness.marks()[seen:], load, is_strict)
            seen = len(witness.marks())
            standing = book.open()
        assert stop(begun(directory, witness, False)) == 0
    book.read()
    assert book.open() == set()
    assert [leaf["seq"] for leaf in book.leaves] == list(range(len(book.leaves)))
    assert verified(state / "doorward.db", vkey(state), directory / "anchor")[0] == verifier.OK


def begun(directory: Path, witness: Witness, is_strict: bool) -> Running:
    """The gateway of a directory, started again."""
    audit = {"receipts": "strict" if is_strict else "queued", "anchor_file": "anchor"}
    admission = {"calls_per_minute": 1_000_000, "burst": 1_000_000}
    write_config(directory, {"upstreams": {"witness": http_upstream(witness.url)}, "audit": audit, "admission": admission})
    return start(directory)


def check_kill(book: Book, marks: list[str], load: Load, is_strict: bool) -> None:
    """What must hold of the files that a killed gateway leaves behind."""
    book.read()
    assert set(load.acknowledged.values()) <= book.intents.keys()
    if is_strict:
        assert {book.outcomes[receipt][0]["result"]["status"] for receipt in load.acknowledged.values()} == {"delivered"}
    veiled = veil(book.state)
    said = {value for leaf in book.intents.values() for value in leaf["arguments"]["fields"].values()}
    assert {mark for mark in marks if veiled.value(mark) not in said} == set()
    assert set(load.acknowledged) <= set(marks)
    code, words = verified(book.state / "doorward.db", vkey(book.state))
    assert code == verifier.OK, words


def test_nothing_acknowledged_is_lost_and_nothing_unrecorded_was_forwarded_in_ten_kills(tmp_path: Path) -> None:
    killed(tmp_path, ROUNDS)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_nothing_acknowledged_is_lost_and_nothing_unrecorded_was_forwarded_in_a_thousand_kills(tmp_path: Path) -> None:
    killed(tmp_path, SOAK_ROUNDS)
