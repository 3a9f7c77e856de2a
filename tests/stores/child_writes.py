"""Run as a program: records calls as fast as it can until it is killed, and says on its output what was acknowledged."""

import asyncio
import os
import sys
from pathlib import Path

from tests.stores.recording import Recording, recording
from tests.stores.told import intent, numbered, outcome

CALLERS = 32


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


async def call_on(open_recording: Recording, name: str) -> None:
    for number in range(1_000_000):
        call = numbered(f"{name}-{number}")
        await open_recording.recorder.intend(intent(call))
        say(f"intent {call.id}")
        concluded = open_recording.recorder.conclude(outcome(call))
        if number % 2:
            await concluded
            say(f"outcome {call.id}")


async def main(path: Path, name: str) -> None:
    async with recording(path) as opened:
        await opened.recorder.start({"round": name})
        await asyncio.gather(*[call_on(opened, f"{name}-{caller}") for caller in range(CALLERS)])


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
