"""What a credential costs a call, in microseconds of processor time: one that is held, looked up among ten thousand people's, and an
assertion that is signed for the call alone. `python -m bench.leases` prints them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.limits import call_of
from doorward.app import clocks
from doorward.app.voice import Voice
from doorward.credentials.assertion import Assertion, AssertionMint
from doorward.credentials.broker import Broker, Sources
from doorward.credentials.fingerprints import Fingerprints
from doorward.credentials.plan import Plan, StaticHeader
from doorward.credentials.port import Mint, Minted, Use
from doorward.domain.actors import Subject
from doorward.domain.ids import SubjectId, UpstreamId
from doorward.domain.secret import Secret

PEOPLE = 10_000
ROUNDS = 9
CALLS = 2_000

_AUDIENCE = "https://bank.example.com/mcp"


class _Personal(Mint):
    """Everybody has a token of their own for an hour."""

    def holder(self, use: Use) -> str:
        return use.call.principal.id

    async def mint(self, use: Use) -> Minted:
        text = f"token-of-{use.call.principal.id}"
        return Minted((("Authorization", Secret(f"Bearer {text}")),), account=use.call.principal.id, seconds=3600.0)


async def costs(rounds: int = ROUNDS) -> dict[str, float]:
    """Microseconds of a call with each."""
    uses = [_use(number) for number in range(PEOPLE)]
    plan = StaticHeader(_AUDIENCE, "Authorization", "")
    held = _broker(plan, _Personal)
    for use in uses:
        await held.lease(use)
    with TemporaryDirectory() as directory:
        voice = Voice(Path(directory))
        voice.speak_as("https://doorward.example.com")
        assertion = Assertion(_AUDIENCE, "Authorization", _AUDIENCE, 60)
        signing = _broker(assertion, lambda: AssertionMint(assertion, voice.sign, clocks.now, clocks.draw))
        return {
            "credential that is held, of 10,000 (6, 8)": await _least(held, uses, rounds),
            "assertion signed for the call (6, 8)": await _least(signing, uses, rounds),
        }


def _broker(plan: Plan, mint: Callable[[], Mint]) -> Broker:
    numbers = count()
    sources = Sources(lambda upstream, shown: mint(), Fingerprints(bytes(32)), clocks.monotonic, clocks.now, lambda: str(next(numbers)))
    return Broker({UpstreamId("bank"): plan}, sources)


def _use(number: int) -> Use:
    call = call_of(number)
    return Use(replace(call, principal=replace(call.principal, subject=Subject(SubjectId(f"corp:{number}"), frozenset()))))


async def _least(broker: Broker, uses: list[Use], rounds: int) -> float:
    times: list[int] = []
    for _ in range(rounds):
        start = time.thread_time_ns()
        for use in uses[:CALLS]:
            broker.check(use)
            await broker.lease(use)
        times.append(time.thread_time_ns() - start)
    return min(times) / CALLS / 1000


def main() -> None:
    """Prints a line for each."""
    for name, microseconds in asyncio.run(costs()).items():
        print(f"{microseconds:6.2f} {name}")


if __name__ == "__main__":
    main()
