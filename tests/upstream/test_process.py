"""Server processes: their environment, their streams, and their end."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from doorward.upstream.process import STDERR_LINE_BYTES, STDERR_LINES, Listener, Process, Program, StartError, start
from tests.net.raw import until
from tests.upstream.servers import script

pytestmark = pytest.mark.anyio


class Watched:
    """Hears of a process."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.stderr: list[str] = []
        self.ends: list[str] = []

    async def start(
        self, command: tuple[str, ...], environment: dict[str, str] | None = None, cwd: str | None = None, line_bytes: int = 10_000
    ) -> Process:
        listener = Listener(self.lines.append, self.stderr.append, self.ends.append)
        return await start(Program(command, {"PATH": os.environ["PATH"]} | (environment or {}), cwd), listener, line_bytes)


def is_running(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_environment_is_exactly_what_is_given(tmp_path: Path) -> None:
    watched = Watched()
    os.environ["DOORWARD_TEST_SECRET"] = "not for servers"
    try:
        process = await watched.start(("env",), {"TOKEN": "t=1", "EMPTY": ""}, str(tmp_path))
    finally:
        del os.environ["DOORWARD_TEST_SECRET"]
    await until(lambda: watched.ends)
    await process.close()
    assert sorted(watched.lines) == sorted([f"PATH={os.environ['PATH']}".encode(), b"TOKEN=t=1", b"EMPTY="])


async def test_last_words_are_heard_where_the_end_is_known_first() -> None:
    watched = Watched()
    process = Process(Listener(watched.lines.append, watched.stderr.append, watched.ends.append), 1000)
    process.process_exited()
    process.pipe_data_received(1, b"the answer\n")
    assert (watched.lines, watched.ends) == ([b"the answer"], [])
    process.pipe_connection_lost(1, None)
    assert watched.ends == ["it exited with status None"]


async def test_program_runs_in_its_directory_and_a_session_of_its_own(tmp_path: Path) -> None:
    watched = Watched()
    process = await watched.start(
        script("say({'cwd': os.getcwd(), 'own': os.getsid(0) == os.getpgid(0) == os.getpid(), 'fds': len(os.listdir('/proc/self/fd'))})"),
        cwd=str(tmp_path),
    )
    await until(lambda: watched.ends)
    await process.close()
    assert json.loads(watched.lines[0]) == {"jsonrpc": "2.0", "cwd": str(tmp_path), "own": True, "fds": 4}


async def test_arguments_reach_the_program_as_they_are_and_no_shell_reads_them() -> None:
    watched = Watched()
    process = await watched.start((sys.executable, "-c", "import sys; print(sys.argv[1:])", "$(id)", "a b", "; rm", "*"))
    await until(lambda: watched.ends)
    await process.close()
    assert watched.lines == [b"['$(id)', 'a b', '; rm', '*']"]


@pytest.mark.parametrize("command", [("no-such-program-here",), ("/no/such/program",), ("/etc/passwd",), ("./relative",)])
async def test_program_that_cannot_be_run_is_a_start_error(command: tuple[str, ...]) -> None:
    with pytest.raises(StartError):
        await Watched().start(command)


async def test_directory_that_is_not_there_is_a_start_error() -> None:
    with pytest.raises(StartError):
        await Watched().start(("env",), cwd="/no/such/directory")


async def test_relative_program_is_looked_for_in_its_directory(tmp_path: Path) -> None:
    (tmp_path / "serve").write_text("#!/bin/sh\necho here\n")
    (tmp_path / "serve").chmod(0o755)
    watched = Watched()
    process = await watched.start(("./serve",), cwd=str(tmp_path))
    await until(lambda: watched.ends)
    await process.close()
    assert watched.lines == [b"here"]


async def test_standard_error_is_kept_in_part_and_told_line_by_line() -> None:
    watched = Watched()
    process = await watched.start(
        script(
            "sys.stderr.write('x' * 9000 + '\\n' + 'odd \\udcff'.encode('utf-8', 'surrogateescape').decode('latin-1') + '\\n')",
            "for n in range(500): print(n, file=sys.stderr)",
        )
    )
    await until(lambda: watched.ends)
    await process.close()
    assert len(process.stderr) == STDERR_LINES
    assert process.stderr[-1] == "499"
    assert max(map(len, watched.stderr)) <= STDERR_LINE_BYTES


async def test_endless_line_on_standard_error_is_not_held() -> None:
    watched = Watched()
    process = await watched.start(script("sys.stderr.write('x' * 3_000_000)", "sys.stderr.write('\\nend\\n')"))
    await until(lambda: watched.ends)
    await process.close()
    assert watched.stderr[-1] == "end"
    assert max(map(len, watched.stderr)) <= STDERR_LINE_BYTES


async def test_line_above_the_cap_gives_the_process_up() -> None:
    watched = Watched()
    process = await watched.start(script("say({'x': 'y' * 20_000})", "time.sleep(60)"))
    await until(lambda: watched.ends)
    assert (watched.lines, watched.ends, process.is_alive) == ([], ["a line of at most 10000 bytes was expected"], False)
    await process.close()


async def test_process_ends_by_itself_when_its_input_does() -> None:
    watched = Watched()
    process = await watched.start(script("for message in messages(): pass", "say({'bye': 1})"))
    await process.close()
    assert (watched.ends, process.write(b"{}")) == ([], False)


STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
CHILD = """
import subprocess
child = subprocess.Popen([sys.executable, '-c', 'import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)'])
"""


@pytest.mark.parametrize("behaviour", ["for message in messages(): pass", "time.sleep(60)", f"{STUBBORN}; time.sleep(60)", "os._exit(3)"])
async def test_process_and_what_it_started_are_gone_after_close(behaviour: str) -> None:
    watched = Watched()
    process = await watched.start(script(CHILD, "say({'pids': [os.getpid(), child.pid]})", behaviour))
    await until(lambda: watched.lines)
    pids = json.loads(watched.lines[0])["pids"]
    await process.close(grace_seconds=0.2)
    await until(lambda: not any(is_running(pid) for pid in pids))


async def test_exit_is_told_with_its_status_and_what_it_started_is_killed() -> None:
    watched = Watched()
    process = await watched.start(script(CHILD, "say({'pid': child.pid})", "os._exit(3)"))
    await until(lambda: watched.ends)
    child = json.loads(watched.lines[0])["pid"]
    await until(lambda: not is_running(child))
    await process.close()
    assert watched.ends == ["it exited with status 3"]


async def test_process_that_closes_its_output_is_given_up() -> None:
    watched = Watched()
    process = await watched.start(script("os.close(1); time.sleep(60)"))
    await until(lambda: watched.ends)
    await process.close()
    assert watched.ends == ["it closed its standard output"]


async def test_unread_input_is_bounded() -> None:
    watched = Watched()
    process = await watched.start(script("time.sleep(60)"))
    written = 0
    while written < 1000 and process.write(b"x" * 100_000):
        written += 1
    assert 50 < written < 200
    process.fail("enough")
    await process.close()
    assert watched.ends == ["enough"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tell a process that its parent has died")
async def test_server_dies_with_a_gateway_that_is_killed(tmp_path: Path) -> None:
    """A gateway in miniature is killed with SIGKILL; its server ignores the end of its input."""
    server = script("open('pid', 'w').write(str(os.getpid()))", "time.sleep(60)")
    gateway = f"""
import asyncio, os
from doorward.upstream.process import Listener, Program, start
async def main():
    nothing = lambda told: None
    await start(Program({server!r}, {{"PATH": os.environ["PATH"]}}, {str(tmp_path)!r}), Listener(nothing, nothing, nothing), 1000)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    running = await asyncio.create_subprocess_exec(sys.executable, "-c", gateway)
    pid = tmp_path / "pid"
    await until(lambda: pid.exists() and pid.read_text())
    running.send_signal(signal.SIGKILL)
    await running.wait()
    await until(lambda: not is_running(int(pid.read_text())))
