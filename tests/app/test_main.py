"""A gateway in a process: signals in, exit code out."""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.app.main import serve
from doorward.client.admin import Admin
from tests.app.running import ground


def once(is_so: Callable[[], bool], then: Callable[[], None]) -> threading.Thread:
    """Does something as soon as the gateway has come so far."""

    def wait() -> None:
        deadline = time.monotonic() + 20
        try:
            while not is_so() and time.monotonic() < deadline:
                time.sleep(0.01)
        finally:
            then()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def send(number: signal.Signals) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


def events(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What the journal told."""
    return [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines() if line.startswith("{")]


def listens(at: Path) -> Callable[[], bool]:
    return (at / "state" / "control.sock").exists


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_zero(number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    with ground() as on:
        ending = once(listens(on.path), send(number))
        assert serve(on.document) == 0
        ending.join()
        told = events(capsys)
        assert (told[0], told[-1]) == ("gateway_started", "gateway_stopped")
        assert not listens(on.path)()


def test_what_is_wrong_with_a_configuration_is_told_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    with ground({"colour": "red", "upstreams": {"Git": {}}}) as on:
        assert serve(on.document) == 1
        said = capsys.readouterr().err.splitlines()
        assert len(said) >= 2
        assert all(line.startswith(str(on.document)) for line in said)


def test_what_keeps_it_from_starting_is_told_in_the_journal(capsys: pytest.CaptureFixture[str]) -> None:
    with ground() as on, socket.create_server(("127.0.0.1", 0)) as taken:
        on.write({"listen": {"port": taken.getsockname()[1]}})
        assert serve(on.document) == 1
        assert events(capsys)[-1] == "not_started"


def test_a_hangup_reads_the_configuration_again(capsys: pytest.CaptureFixture[str]) -> None:
    with ground() as on:
        admin = Admin(on.path / "state" / "control.sock")

        def hears() -> bool:
            return signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL

        def reload() -> None:
            on.write({"admission": {"concurrent": 2}})
            send(signal.SIGHUP)()
            once(lambda: admin.get("/v1/status")["generation"] == 2, send(signal.SIGTERM)).join()

        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        reloading = once(hears, reload)
        assert serve(on.document) == 0
        reloading.join()
        assert [event for event in events(capsys) if event.startswith("config_")] == ["config_loaded"]
