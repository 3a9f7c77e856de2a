"""Run as a program: records calls until its files may grow no more, then once more when they may again; says what happened."""

import asyncio
import resource
import sys
from pathlib import Path

from doorward.domain.errors import UnrecordedError
from tests.stores.recording import Recording, recording
from tests.stores.told import intent, numbered, outcome

ROOM_BYTES = 300_000


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")


async def fill(opened: Recording) -> tuple[int, str]:
    """How many intents were recorded before one could not be, and why that one."""
    for number in range(10_000):
        try:
            await opened.recorder.intend(intent(numbered(f"call-{number}")))
        except UnrecordedError as error:
            return number, str(error)
    raise AssertionError("the limit was never reached")


async def main(path: Path) -> None:
    async with recording(path) as opened:
        await opened.recorder.start({})
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, resource.RLIM_INFINITY))
        recorded, why = await fill(opened)
        lost = opened.recorder.conclude(outcome(numbered("call-0")))
        await asyncio.wait([lost])
        say("refused", recorded > 10, why.startswith("the store cannot write"), opened.recorder.failure == why, opened.recorder.owed)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        place = await opened.recorder.intend(intent(numbered("after")))
        await opened.recorder.tick()
        await opened.log.seal()
        size = await opened.log.size()
        say("recovered", place.seq == recorded + 1, opened.recorder.failure, opened.recorder.owed, size == recorded + 3)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
