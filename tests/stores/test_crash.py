"""What is left of a process that dies or runs out of disk in the middle of its work."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from doorward import verifier
from doorward.testing.stores.log import SIGNER
from tests.stores.recording import recording

ROOT = Path(__file__).parents[2]
ROUNDS = 10
KEYS = [verifier.Key.parse(str(SIGNER.vkey))]


def child(program: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
    return subprocess.Popen([sys.executable, "-m", program, *arguments], stdout=subprocess.PIPE, cwd=ROOT, env=environment)


def killed(path: Path, number: int) -> list[str]:
    """What a writing process had been told was durable when it was killed."""
    process = child("tests.stores.child_writes", str(path), f"r{number}")
    assert process.stdout is not None
    with process, process.stdout:
        # Another moment in each round: within the first batch, and up to some hundred calls later.
        said = [process.stdout.readline() for _ in range(1 + number * 37)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
    return [line.decode().strip() for line in said if line.endswith(b"\n")]


@pytest.mark.anyio
async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    for number in range(ROUNDS):
        acknowledged.update(killed(tmp_path, number))
        assert isinstance(verifier.verify_database(tmp_path / "doorward.db", KEYS, ()), verifier.Verdict)
        async with recording(tmp_path) as opened:
            left_open = await opened.log.open_intents()
            assert await opened.recorder.start({}) == len(left_open)
            assert await opened.log.open_intents() == ()
            assert {f"intent {msgspec.json.decode(located.leaf)['call']}" for located in left_open}.isdisjoint(
                {line.replace("outcome", "intent") for line in acknowledged if line.startswith("outcome")}
            )
    async with recording(tmp_path) as opened:
        leaves = [msgspec.json.decode(located.leaf) for located in await opened.log.leaves(0, 1_000_000)]
    told = {f"{leaf['type']} {leaf['call']}" for leaf in leaves if leaf.get("result", {}).get("status") != "unknown" and "call" in leaf}
    ended = [leaf["call"] for leaf in leaves if leaf["type"] == "outcome"]
    begun = [leaf["call"] for leaf in leaves if leaf["type"] == "intent"]
    assert len(acknowledged) > ROUNDS * 37
    assert acknowledged <= told
    assert sorted(ended) == sorted(begun)
    verdict = verifier.verify_database(tmp_path / "doorward.db", KEYS, ())
    assert verdict is not None
    assert verdict.size == len(leaves)


def test_without_space_calls_are_refused_and_with_space_recorded_again(tmp_path: Path) -> None:
    process = child("tests.stores.child_fills", str(tmp_path))
    said, _ = process.communicate(timeout=60)
    assert said.decode().splitlines() == ["refused True True True 1", "recovered True None 0 True"]
    assert isinstance(verifier.verify_database(tmp_path / "doorward.db", KEYS, ()), verifier.Verdict)
