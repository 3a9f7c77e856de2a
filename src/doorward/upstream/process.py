"""One server process: exactly the environment it is given, a process group of its own, and an end that is seen to."""

import asyncio
import os
import shutil
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, cast

import msgspec

from doorward.domain.clipping import clipped
from doorward.domain.errors import DoorwardError
from doorward.upstream.lines import Lines, LongLineError
from doorward.upstream.supply.parts import SupplyError
from doorward.upstream.supply.sandbox import Cage, caged

STDERR_LINES: Final = 200
"""How much of what a server says on standard error is kept; with the length below at most 400 KB."""
STDERR_LINE_BYTES: Final = 2048
UNREAD_BYTES: Final = 8 * 2**20
"""Bytes a server may leave unread before nothing more is written to it."""
GRACE_SECONDS: Final = 2.0
"""After the end of its standard input, and again after SIGTERM, before the next harder step."""
LINGER_SECONDS: Final = 0.2
"""Between the end of its standard output and its own, before it is killed."""
LEASH: Final = Path(__file__).with_name("leash.py")


class StartError(DoorwardError):
    """The program could not be started."""


class Program(msgspec.Struct, frozen=True):
    """What to run. The environment is whole: nothing of ours is added to it."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: str | None = None
    cage: Cage | None = None
    """What it may touch; None: whatever the gateway's user may."""


class Listener(msgspec.Struct, frozen=True):
    """Who hears of a process. Called on the event loop, in order; `on_end` once, last, with what is known of the cause."""

    on_line: Callable[[bytes], None]
    on_stderr: Callable[[str], None]
    on_end: Callable[[str], None]


class Process(asyncio.SubprocessProtocol):
    """A running server and its three streams."""

    def __init__(self, listener: Listener, line_bytes: int) -> None:
        self._listener = listener
        self._lines = Lines(line_bytes)
        self._error_rest = b""
        self._transport: asyncio.SubprocessTransport | None = None
        self._pid = 0
        self._ended = asyncio.Event()
        self._cause = ""
        self._is_mute = False
        """Its standard output has ended: it will say nothing more."""
        self.stderr: deque[str] = deque(maxlen=STDERR_LINES)
        """The last lines of standard error: text from outside."""

    @property
    def is_alive(self) -> bool:
        """Whether it may still answer."""
        return not self._ended.is_set() and not self._cause and not self._is_mute

    def write(self, line: bytes) -> bool:
        """Writes one line; False, with nothing written, if the server is gone or has left too much unread."""
        pipe = self._stdin()
        if pipe is None or not self.is_alive or pipe.is_closing() or pipe.get_write_buffer_size() > UNREAD_BYTES:
            return False
        pipe.write(line + b"\n")
        return True

    def fail(self, cause: str) -> None:
        """Gives the process up: whatever it says from now on is not heard."""
        if not self._cause:
            self._signal(signal.SIGKILL)
            self._tell_end(cause)

    def _tell_end(self, cause: str) -> None:
        if not self._cause:
            self._cause = cause
            self._listener.on_end(cause)

    async def close(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Ends it: closes its input, waits, asks, then kills; always its whole group. Bounded by three times the grace."""
        was_alive = self.is_alive
        self._cause = self._cause or "closed"
        try:
            if was_alive and await self._ends_when_asked(grace_seconds):
                return
            self._signal(signal.SIGKILL)
            await self._ends_within(grace_seconds)
        finally:
            self._signal(signal.SIGKILL)
            if self._transport is not None:
                self._transport.close()

    async def _ends_when_asked(self, grace_seconds: float) -> bool:
        pipe = self._stdin()
        if pipe is not None:
            pipe.close()
        if await self._ends_within(grace_seconds):
            return True
        self._signal(signal.SIGTERM)
        return await self._ends_within(grace_seconds)

    async def _ends_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return False
        return True

    def _stdin(self) -> asyncio.WriteTransport | None:
        pipe = self._transport.get_pipe_transport(0) if self._transport is not None else None
        return cast("asyncio.WriteTransport | None", pipe)

    def _signal(self, number: signal.Signals) -> None:
        """Signals the whole group, whose id is the pid, for the process leads a session of its own.

        INVARIANT: never once its end has been seen, for the number may be another's by then; and never 0, which is our own group.
        """
        if self._pid <= 0:
            return
        try:
            os.killpg(self._pid, number)
        except (ProcessLookupError, PermissionError):
            return  # nobody is left in it (macOS says EPERM for a group of zombies)

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The process runs."""
        self._transport = cast("asyncio.SubprocessTransport", transport)
        self._pid = self._transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Bytes of its standard output (1) or standard error (2)."""
        if fd == 2:
            self._hear(data)
            return
        try:
            lines = self._lines.feed(data)
        except LongLineError as error:
            self.fail(str(error))
            return
        for line in lines:
            # Also what it said just before it ended, which may be read only after its end is known.
            if not self._cause:
                self._listener.on_line(line)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """A stream ended. Without its standard output a server is of no use; usually its end follows, and says more."""
        if fd != 1:
            return
        self._is_mute = True
        if self._ended.is_set():
            self._tell_exit()
        else:
            asyncio.get_running_loop().call_later(LINGER_SECONDS, self.fail, "it closed its standard output")

    def process_exited(self) -> None:
        """The process ended by itself or by us; what it left behind in its group is killed."""
        self._signal(signal.SIGKILL)
        self._pid = 0
        self._ended.set()
        if self._is_mute:
            self._tell_exit()
        else:
            # Its last words may still be in the pipe; nobody of its group is left who could hold that open.
            asyncio.get_running_loop().call_later(LINGER_SECONDS, self._tell_exit)

    def _tell_exit(self) -> None:
        code = self._transport.get_returncode() if self._transport is not None else None
        self._tell_end(f"it exited with status {code}")

    def _hear(self, octets: bytes) -> None:
        """Keeps what it says on standard error: the beginning of each line, and of a flood its last lines."""
        *lines, rest = (self._error_rest + octets).split(b"\n")
        self._error_rest = rest[: STDERR_LINE_BYTES + 1]
        for line in lines[-STDERR_LINES:]:
            text = clipped(line.decode("utf-8", "replace"), STDERR_LINE_BYTES)
            self.stderr.append(text)
            self._listener.on_stderr(text)


async def start(program: Program, listener: Listener, line_bytes: int) -> Process:
    """Starts a program without a shell; raises StartError."""
    loop = asyncio.get_running_loop()
    command = _leashed(_caged(program))
    try:
        _, process = await loop.subprocess_exec(
            lambda: Process(listener, line_bytes),
            *command,
            env=dict(program.environment),
            cwd=program.cwd,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise StartError(f"the program could not be started: {error}") from error
    return process


def _caged(program: Program) -> tuple[str, ...]:
    command = (_found(program), *program.command[1:])
    if program.cage is None:
        return command
    try:
        return caged(command, program.cage, program.cwd, os.environ.get("PATH", os.defpath))
    except SupplyError as error:
        raise StartError(str(error)) from error


def _found(program: Program) -> str:
    """The path of what to run: on the PATH it is given, or, with a slash in it, relative to its working directory."""
    name = program.command[0]
    where = Path(program.cwd or ".", name).absolute() if "/" in name else name
    path = shutil.which(where, path=program.environment.get("PATH", ""))
    if path is None:
        raise StartError(f"a program that can be run was expected, not {name[:200]!r}")
    return str(path)


def _leashed(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command under a leash where the system has one; elsewhere a gateway that is killed leaves only the end of its pipes."""
    if sys.platform != "linux" or not sys.executable:
        return command
    return (sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *command)
