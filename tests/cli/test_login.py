"""Signing in over the network: through a browser, over TLS, into a file for its user alone, and out again."""

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner, Result

from doorward.cli.main import main
from doorward.client.admin import AdminError
from doorward.client.login import Login
from doorward.client.operator_files import Kept, OperatorFiles
from doorward.net.tls import client_context
from tests.browser import Browser
from tests.certificates import authority
from tests.control.door import ANN, SIGNING_IN, NetworkDoor, network_door, served

SECONDS = 20


@dataclass(slots=True)
class Door:
    """A door on a real port."""

    url: str
    ca_file: Path
    home: Path
    inner: NetworkDoor

    def told(self, *words: str, env: Mapping[str, str] | None = None) -> Result:
        """What comes of `doorward WORDS` of the user whose state directory is `home`."""
        result = CliRunner().invoke(main, list(words), env={"XDG_STATE_HOME": str(self.home), **(env or {})})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    def sign_in(self, page: str, **claims: Any) -> str:
        """A person's browser, from the page that a command shows to the command's own answer."""
        browser = Browser(stops_at=(self.inner.company.url,), context=client_context(str(self.ca_file)))
        sent = self.inner.company.authorize(browser.get(page).url, **claims)
        question = browser.get(f"{self.url}/signin/callback?{urlencode(sent)}")
        return browser.submit(question, question.forms[0], {"answer": "allow"}).text


@contextmanager
def serving(directory: Path) -> Iterator[Door]:
    """A door over TLS, in a thread of its own."""
    begun, held = threading.Event(), list[Any]()

    async def serve() -> None:
        ended = asyncio.Event()
        async with served(directory, lambda origin: network_door(directory, SIGNING_IN, origin)) as (url, ca_file, inner):
            held.extend([Door(url, ca_file, directory / "home", inner), asyncio.get_running_loop(), ended])
            begun.set()
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert begun.wait(SECONDS)
    try:
        yield held[0]
    finally:
        held[1].call_soon_threadsafe(held[2].set)
        thread.join(SECONDS)
        assert not thread.is_alive()


def test_a_person_signs_in_once_and_every_command_acts_as_them_until_they_sign_out(tmp_path: Path) -> None:
    with serving(tmp_path) as door:
        words = [sys.executable, "-m", "doorward", "login", door.url.upper() + "/", "--ca-file", str(door.ca_file), "--no-browser"]
        environment = {**os.environ, "XDG_STATE_HOME": str(door.home)}
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**environment, "PYTHONUNBUFFERED": "1"}) as process:
            assert process.stdout is not None
            letters, page = process.stdout.readline().strip().rstrip(":").rpartition(" ")[2], process.stdout.readline().strip()
            assert "may be closed" in door.sign_in(page, **ANN)
            said = process.stdout.read()
        assert len(letters) == 14
        assert process.returncode == 0
        assert "You are signed in as corp:ann until" in said
        (file,) = (door.home / "doorward" / "operator").iterdir()
        assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o600, 0o700)
        assert door.told("agent", "add", "x", "--team", "t", "--url", door.url).exit_code == 0
        listed = json.loads(door.told("agent", "list", "--json", env={"DOORWARD_CONTROL_URL": door.url}).stdout)
        assert [agent["owner"] for agent in listed["agents"]] == ["corp:ann"]
        assert door.told("logout", env={"DOORWARD_URL": door.url}).exit_code == 0
        assert list(file.parent.iterdir()) == []
        refused = door.told("agent", "list", "--url", door.url)
        assert (refused.exit_code, "run doorward login" in refused.output) == (1, True)


def test_the_socket_is_used_where_the_command_line_names_it_and_the_url_where_both_are_said(tmp_path: Path) -> None:
    with serving(tmp_path) as door:
        login = Login(door.url, str(door.ca_file))
        answers = list[Kept]()
        waiting = threading.Thread(target=lambda: answers.append(login.wait(SECONDS)))
        waiting.start()
        door.sign_in(login.page, **ANN)
        waiting.join(SECONDS)
        OperatorFiles({"XDG_STATE_HOME": str(door.home)}).keep(answers[0])
        socket = str(tmp_path / "none.sock")
        env = {"DOORWARD_CONTROL_URL": door.url}
        assert "no control socket" in door.told("status", "--socket", socket, env=env).output
        assert door.told("agent", "list", "--socket", socket, "--url", door.url).exit_code == 0
        assert door.told("agent", "list", env={**env, "DOORWARD_SOCKET": socket}).exit_code == 0


def test_a_certificate_that_is_not_trusted_ends_it_before_anything_is_said(tmp_path: Path) -> None:
    with serving(tmp_path) as door:
        OperatorFiles({"XDG_STATE_HOME": str(door.home)}).keep(Kept(door.url, "dwo_x", 0, "corp:ann"))
        refused = door.told("agent", "list", "--url", door.url)
        assert (refused.exit_code, "is not trusted" in refused.output) == (1, True)


@pytest.mark.parametrize(("words", "why"), [((), "is not trusted"), (("--ca-file", "{other}"), "is not trusted")])
def test_nobody_is_asked_to_sign_in_where_the_certificate_is_not_trusted(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    other = tmp_path / "other.pem"
    other.write_text(authority().pem)
    with serving(tmp_path) as door:
        refused = door.told("login", door.url, "--no-browser", *(word.format(other=other) for word in words))
        assert (refused.exit_code, why in refused.output, "Sign in here" in refused.output) == (1, True, False)


def test_nobody_is_asked_to_sign_in_where_no_gateway_is(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"https://localhost:{taken.getsockname()[1]}"
    refused = CliRunner().invoke(main, ["login", url, "--no-browser"], env={"XDG_STATE_HOME": str(tmp_path)})
    assert (refused.exit_code, "cannot be reached" in refused.output, "Sign in here" in refused.output) == (1, True, False)


def test_a_session_that_has_ended_is_told_as_such(tmp_path: Path) -> None:
    with serving(tmp_path) as door:
        OperatorFiles({"XDG_STATE_HOME": str(door.home)}).keep(Kept(door.url, "dwo_x", 0, "corp:ann", str(door.ca_file)))
        refused = door.told("agent", "list", "--url", door.url)
        assert (refused.exit_code, "doorward login" in refused.output) == (1, True)


@pytest.mark.parametrize(
    "url", ["http://doorward.example.com", "doorward.example.com", "https://a@b", "https://a/path", "https://a?b", "https://"]
)
def test_an_operator_goes_to_an_origin_over_tls_alone(tmp_path: Path, url: str) -> None:
    for words in (("login", url), ("logout", url), ("status", "--url", url)):
        refused = CliRunner().invoke(main, list(words), env={"XDG_STATE_HOME": str(tmp_path)})
        assert (refused.exit_code, "expected an origin" in refused.output) == (2, True)


def test_a_page_that_guesses_at_the_commands_port_gives_it_nothing(tmp_path: Path) -> None:
    login = Login("https://gateway.example.com", None)
    origin = f"http://127.0.0.1:{urlsplit(login.page).query.split('&')[0].partition('=')[2]}"
    refusals = list[str]()

    def wait() -> None:
        with pytest.raises(AdminError) as raised:
            login.wait(1.5)
        refusals.append(raised.value.reason)

    waiting = threading.Thread(target=wait)
    waiting.start()
    for request in (
        Request(f"{origin}/?code=x", headers={"Host": "evil.example.com"}),
        Request(f"{origin}/"),
        Request(f"{origin}/?code=a&code=b"),
    ):
        with pytest.raises(OSError, match="404"):
            urlopen(request, timeout=SECONDS)
    waiting.join(SECONDS)
    assert refusals == ["no_answer"]


def test_files_that_cannot_be_read_are_no_sign_in(tmp_path: Path) -> None:
    files = OperatorFiles({"XDG_STATE_HOME": str(tmp_path)})
    path = files.keep(Kept("https://a", "t", 1.0, "n"))
    for text in ("", "[]", "{}", '{"url": 1}'):
        path.write_text(text)
        assert files.find("https://a") is None
    assert "t" not in repr(Kept("https://a", "secret", 1.0, "n")).removeprefix("Kept(https://a)")


def test_operators_are_shown_who_they_are_and_who_is_signed_in_and_an_admin_ends_it(tmp_path: Path) -> None:
    with serving(tmp_path) as door:
        login = Login(door.url, str(door.ca_file))
        answers = list[Kept]()
        waiting = threading.Thread(target=lambda: answers.append(login.wait(SECONDS)))
        waiting.start()
        door.sign_in(login.page, **ANN)
        waiting.join(SECONDS)
        OperatorFiles({"XDG_STATE_HOME": str(door.home)}).keep(answers[0])
        assert 'role: "admin"' in door.told("operator", "me", "--url", door.url).stdout
        (row,) = json.loads(door.told("operator", "list", "--json", "--url", door.url).stdout)["sessions"]
        assert row["name"] in door.told("operator", "list", "--url", door.url).stdout
        assert door.told("operator", "end", row["id"], "--url", door.url).exit_code == 0
        assert door.told("operator", "me", "--url", door.url).exit_code == 1
