"""A process is what was accepted, by whatever way a file gets into it: a wrapper, an option, a PATH, a directory, a file beside."""

import sys
from pathlib import Path

import pytest

from doorward.upstream.supply.measure import Command, measured
from doorward.upstream.supply.parts import Component, Digests, manifest
from doorward.upstream.supply.sandbox import Cage, caged
from tests.upstream.supply.made import environment, executable, fetched, path_of


def parts(*words: str | Path, path: Path, cwd: Path | None = None, **env: str) -> tuple[Component, ...]:
    """What a command is made of, its programs looked for in one directory."""
    command = Command(tuple(map(str, words)), {"PATH": path_of(path), **env}, None if cwd is None else str(cwd))
    return measured(command, Digests())


@pytest.fixture
def bin_(tmp_path: Path) -> Path:
    for name in ("env", "node", "npx", "sh", "timeout", "python3"):
        executable(tmp_path / "bin" / name, f"\x7fELF {name}")
    return tmp_path / "bin"


WAYS: list[tuple[str, str]] = [
    ("env A=1 node server", "server"),
    ("env -S 'node server'", "server"),
    ("timeout 30 node server", "server"),
    ("env timeout 30 node server", "server"),
    ("node -r first server", "server"),
    ("node -r first server", "first"),
    ("node --require=first server", "first"),
    ("node --import=first.mjs server", "first.mjs"),
    ("node --require first.js server", "server"),
    ("python3 -m notes", "notes.py"),
    ("python3 -m notes", "notes/__main__.py"),
    ("./started", "bin/node"),
    ("./split", "bin/node"),
    ("env node server", "bin/node"),
]


@pytest.mark.parametrize(("command", "changed"), WAYS)
def test_what_runs_is_a_part_however_it_is_started(tmp_path: Path, bin_: Path, command: str, changed: str) -> None:
    executable(tmp_path / "started", "#!/usr/bin/env node\n")
    executable(tmp_path / "split", "#!/usr/bin/env -S node --no-warnings\n")
    (tmp_path / "notes").mkdir()
    for name in ("server", "first", "first.js", "first.mjs", "notes.py", "notes/__main__.py"):
        (tmp_path / name).write_text("serve()")
    words = [word.strip("'") for word in (command.split(" ", 2) if "'" in command else command.split(" "))]
    before = manifest(parts(*words, path=bin_, cwd=tmp_path))
    (tmp_path / changed).write_text("steal()")
    assert manifest(parts(*words, path=bin_, cwd=tmp_path)) != before


def test_a_package_is_a_part_behind_a_wrapper(tmp_path: Path, bin_: Path) -> None:
    lock = fetched(tmp_path / "npm", "server@1", {"node_modules/server": {"version": "1", "integrity": "sha512-a"}})
    before = parts("env", "npx", "-y", "server@1", path=bin_, npm_config_cache=str(tmp_path / "npm"))
    lock.write_text(lock.read_text().replace("sha512-a", "sha512-b"))
    assert parts("env", "npx", "-y", "server@1", path=bin_, npm_config_cache=str(tmp_path / "npm")) != before


@pytest.mark.parametrize("command", ["sh -c node", "sh -lc node", "python3 -m notes", "env A=1"])
def test_what_cannot_be_told_is_said_to_be_unknown(bin_: Path, command: str) -> None:
    assert "" in {part.sha256 for part in parts(*command.split(" "), path=bin_)}


@pytest.mark.parametrize("name", ["first.pth", "sitecustomize.py", "usercustomize.py"])
def test_what_every_interpreter_of_an_environment_runs_first_is_a_part(tmp_path: Path, bin_: Path, name: str) -> None:
    script = environment(tmp_path / "venv")
    before = parts(script, path=bin_)
    (tmp_path / "venv/lib/python3.11/site-packages" / name).write_text("import os; steal()")
    assert parts(script, path=bin_) != before


def test_the_gateways_state_is_not_in_a_sandbox_for_standing_beside_a_program(tmp_path: Path) -> None:
    program = executable(tmp_path / "bin/notes")
    (tmp_path / "state").mkdir()
    executable(tmp_path / "tools/bwrap")
    words = caged((str(program),), Cage("none", (), ()), None, path_of(tmp_path / "tools"))
    assert not [word for word in words if (tmp_path / "state").is_relative_to(word) and word not in {"/", "/tmp"}]


def test_nothing_of_a_package_runs_as_its_environment_is_asked_for(tmp_path: Path) -> None:
    executable(tmp_path / "bin/uvx", "\x7fELF")
    executable(tmp_path / "bin/uv", f'#!/bin/sh\nshift 4\nshift\nexec {tmp_path}/made/bin/python "$@"\n')
    environment(tmp_path / "made")
    (tmp_path / "made/bin/python").unlink()
    (tmp_path / "made/bin/python").symlink_to(Path(sys.executable).resolve())
    site = tmp_path / "made/lib" / f"python3.{sys.version_info.minor}/site-packages"
    site.mkdir(parents=True, exist_ok=True)
    (site / "first.pth").write_text(f"import pathlib; pathlib.Path({str(tmp_path / 'ran')!r}).touch()\n")
    found = parts("uvx", "notes-server==1.2", path=tmp_path / "bin")
    assert "pypi:notes-server" in {part.name for part in found}
    assert not (tmp_path / "ran").exists()
