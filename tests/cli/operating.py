"""The commands at a plane that listens on a real socket, in a thread of its own."""

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from click.testing import CliRunner, Result

from doorward.cli.main import main
from doorward.control.listener import ControlListener
from tests.control.plane import DOCUMENT, POLICY, Plane, plane

T = TypeVar("T")
SECONDS = 20


class Operating:
    """A plane, and an operator at its socket."""

    def __init__(self, it: Plane, socket: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.it, self.socket, self._loop = it, socket, loop

    def told(self, *words: str, typed: str | None = None) -> Result:
        """What comes of `doorward WORDS`."""
        result = CliRunner().invoke(main, list(words), input=typed, env={"DOORWARD_SOCKET": str(self.socket)})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    def said(self, *words: str, typed: str | None = None) -> str:
        """The standard output of a command that succeeds."""
        result = self.told(*words, typed=typed)
        assert result.exit_code == 0, result.output
        return result.stdout

    def asked(self, *words: str) -> Any:
        """The JSON of a command that succeeds."""
        return json.loads(self.said(*words, "--json"))

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of something done in the plane's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)


@contextmanager
def operating(directory: Path, document: Mapping[str, object] = DOCUMENT, policy: str = POLICY) -> Iterator[Operating]:
    """A plane over a document in this directory, on a socket there, until the end."""
    begun, ended = threading.Event(), asyncio.Event()
    held: list[Operating] = []

    async def serve() -> None:
        async with plane(directory, document, policy) as it:
            listener = ControlListener(it.app, directory / "control.sock")
            await listener.start()
            held.append(Operating(it, listener.path, asyncio.get_running_loop()))
            begun.set()
            await ended.wait()
            await listener.stop()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert begun.wait(SECONDS)
    try:
        yield held[0]
    finally:
        held[0]._loop.call_soon_threadsafe(ended.set)
        thread.join(SECONDS)
        assert not thread.is_alive()
