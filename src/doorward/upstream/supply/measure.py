"""Measuring a command: every part of what it would run, with its digest, before any of it runs.

Reads files, and where a launcher fetches packages has it fetch them first; to be called in a thread. What runs afterwards is what was
measured unless somebody changes files in between: a server that may write its own program belongs into a sandbox.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from doorward.domain.clipping import clipped
from doorward.upstream.supply.command import (
    INTERPRETERS,
    PRELOADS,
    SCRIPTS,
    WRAPPERS,
    Package,
    is_dictated,
    is_told_otherwise,
    module,
    package,
    wrapped,
)
from doorward.upstream.supply.parts import Component, Digests, Sort, SupplyError
from doorward.upstream.supply.trees import distribution, holding, owner, site_environment, together, tree

FETCH_SECONDS: Final = 120.0
"""For a launcher to fetch a package that is not there yet."""
_LONGEST_LINE = 512
_OF_ENVIRONMENT = ("HOME", "XDG_CACHE_HOME", "UV_CACHE_DIR", "npm_config_cache", "NPM_CONFIG_CACHE")
"""Where launchers keep what they have fetched."""


class Command(msgspec.Struct, frozen=True):
    """What is to be measured, as it would be started."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: str | None
    paths: tuple[str, ...] = ()
    """Files and directories that belong to it besides."""


def measured(command: Command, digests: Digests) -> tuple[Component, ...]:
    """Every part of a command; raises `SupplyError` where one that should be there cannot be read."""
    try:
        return tuple(_parts(command, digests))
    except (OSError, ValueError) as error:
        raise SupplyError(f"what it is made of cannot be read: {error}") from error


def _parts(command: Command, digests: Digests) -> list[Component]:
    parts = [*_run_by(command, digests)]
    if command.paths:
        named = [(path, tree(_at(path, command), digests)) for path in command.paths]
        parts.append(Component(Sort.PATHS, ", ".join(command.paths), "", together(named)))
    return parts


def _run_by(command: Command, digests: Digests) -> Iterator[Component]:
    """A program and what it is told to run."""
    yield _program(command, digests)
    fetched = package(command.words)
    if fetched is not None:
        yield from _fetched(fetched, command, digests)
    elif Path(command.words[0]).name in WRAPPERS:
        yield from _wrapped(command, digests)
    elif is_dictated(command.words):
        yield Component(Sort.SCRIPT, f"{Path(command.words[0]).name} -c", "", "")
    else:
        yield from _told(command, digests)


def _wrapped(command: Command, digests: Digests) -> Iterator[Component]:
    """What a wrapper runs, looked for on the PATH that it says, if it says one."""
    said = [word.partition("=")[2] for word in command.words[1:] if word.startswith("PATH=")]
    environment = {**command.environment, "PATH": said[-1]} if said else command.environment
    inner = wrapped(command.words, lambda word: _which(word, environment, command) is not None)
    if inner:
        yield from _run_by(msgspec.structs.replace(command, words=inner, environment=environment), digests)
    else:
        yield Component(Sort.PROGRAM, f"what {Path(command.words[0]).name} runs", "", "")


def _program(command: Command, digests: Digests) -> Component:
    path = _found(command)
    return Component(Sort.PROGRAM, path.name, "", digests.of(path.resolve()))


def _found(command: Command) -> Path:
    path = _which(command.words[0], command.environment, command)
    if path is None:
        raise SupplyError(f"a program that can be run was expected, not {command.words[0][:200]!r}")
    return path


def _which(name: str, environment: Mapping[str, str], command: Command) -> Path | None:
    where = str(_at(name, command)) if "/" in name else name
    path = shutil.which(where, path=environment.get("PATH", ""))
    return None if path is None else Path(path)


def _at(path: str, command: Command) -> Path:
    return Path(command.cwd or ".", path).absolute()


def _told(command: Command, digests: Digests) -> Iterator[Component]:
    """What a program is told to run, and where it is a script itself, who runs it and what it belongs to."""
    path = _found(command)
    site = _site(path)
    if (interpreter := _first_line(path, command)) is not None:
        yield Component(Sort.PROGRAM, interpreter.name, "", digests.of(interpreter.resolve()))
        site = _site(interpreter) or site
        yield from _installed(owner(site, path.name) if site is not None else None, site, digests)
    arguments = command.words[1:]
    if INTERPRETERS.fullmatch(path.name) is not None and (asked := module(arguments)) is not None:
        yield from _module(asked, site, command, digests)
    yield from _scripts(path, arguments, command, digests)


def _module(asked: str, site: Path | None, command: Command, digests: Digests) -> Iterator[Component]:
    """A module that Python runs: it is looked for in the directory first, then among what is installed."""
    beside = [path for name in (f"{asked}.py", asked) if (path := _at(name, command)).exists()]
    for path in beside:
        yield Component(Sort.SCRIPT, path.name, "", tree(path, digests))
    record = None if site is None else holding(site, asked)
    if record is None and not beside:
        yield Component(Sort.PACKAGE, f"python:{asked}", "", "")
    yield from _installed(record, site, digests)


def _scripts(program: Path, arguments: Sequence[str], command: Command, digests: Digests) -> Iterator[Component]:
    """The first file that an interpreter is given, and every argument that is a program by its ending."""
    is_first = INTERPRETERS.fullmatch(program.name) is not None and not is_told_otherwise(arguments)
    before = ""
    for word in arguments:
        # An option may have a file in it: `--require=./first.js`.
        said = word.partition("=")[2] if word.startswith("-") else word
        path, is_preload, before = _at(said, command), before in PRELOADS or said != word, word
        # Any text may stand there, also one that no path could be; `isfile` says no to those.
        if not said or not os.path.isfile(path):  # noqa: PTH113
            continue
        if _is_program(path, word) or (is_first and said == word):
            yield Component(Sort.SCRIPT, said, "", digests.of(path))
            is_first = is_first and is_preload


def _is_program(path: Path, word: str) -> bool:
    """Whether a file is a program by its ending, or by the option that it stands in."""
    return path.suffix in SCRIPTS or word.partition("=")[0] in PRELOADS


def _installed(record: Path | None, site: Path | None, digests: Digests) -> Iterator[Component]:
    if record is not None and site is not None:
        yield distribution(record, digests)
        yield site_environment(site, digests)


def _first_line(path: Path, command: Command) -> Path | None:
    """The interpreter that a script names in its first line; `env` looks it up on the PATH of whoever runs it, so it is looked up here."""
    with path.open("rb") as file:
        line = file.read(_LONGEST_LINE).split(b"\n", 1)[0]
    if not line.startswith(b"#!"):
        return None
    words = os.fsdecode(line[2:]).split()
    if words and words[0].endswith("/env"):
        words = list(wrapped(words, lambda word: _which(word, command.environment, command) is not None))
    return _which(words[0], command.environment, command) if words else None


def _site(program: Path) -> Path | None:
    """The `site-packages` of the environment that a Python or console script stands in."""
    root = program.parent.parent
    return next(iter(sorted(root.glob("lib/python3*/site-packages"))), None) if (root / "pyvenv.cfg").is_file() else None


def _fetched(asked: Package, command: Command, digests: Digests) -> Iterator[Component]:
    match asked.registry:
        case "npm":
            yield from _npm(asked, command)
        case "pypi":
            yield from _pypi(asked, command, digests)
        case _:
            name, _, digest = asked.spec.partition("@sha256:")
            yield Component(Sort.IMAGE, name, "", digest)


def _pypi(asked: Package, command: Command, digests: Digests) -> Iterator[Component]:
    """A package that `uvx` or `pipx` runs: its environment is made first, and nothing of the package runs for that."""
    if not command.words[0].rsplit("/", 1)[-1].startswith("uv"):
        # pipx gives no way to have an environment made and nothing run in it.
        yield Component(Sort.PACKAGE, f"pypi:{asked.name}", "", "")
        return
    # `-S`: without it an interpreter runs the `.pth` files of what was fetched.
    program = ("python", "-I", "-S", "-c", "import os, sys; print(os.path.dirname(os.path.dirname(sys.executable)))")
    said = _run(("uv", "tool", "run", "--from", asked.spec, *program), command)
    prefix = said.strip().rpartition("\n")[2]
    site = next(iter(sorted(Path(prefix).glob("lib/python3*/site-packages"))), None) if prefix else None
    record = None if site is None else next(iter(site.glob(f"{_normal(asked.name)}-*.dist-info/RECORD")), None)
    if site is None or record is None:
        raise SupplyError(f"{asked.name} is not in the environment that was made for it")
    yield from _installed(record, site, digests)


def _normal(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _npm(asked: Package, command: Command) -> Iterator[Component]:
    """A package that `npx` runs, with all it depends on, as npm wrote down when it fetched them (their `integrity`)."""
    lock = _npm_lock(asked, command)
    if lock is None:
        _run(("npx", "--yes", "--ignore-scripts", "--package", asked.spec, "--call", "exit 0"), command)
        lock = _npm_lock(asked, command)
    if lock is None:
        raise SupplyError(f"{asked.spec[:100]} is not where npm keeps what it has fetched")
    packages = _json(lock).get("packages")
    listed = {path: entry for path, entry in packages.items() if isinstance(entry, dict)} if isinstance(packages, dict) else {}
    top = listed.get(f"node_modules/{asked.name}", {})
    every = together((path, f"{entry.get('version', '')} {entry.get('integrity', '')}") for path, entry in listed.items())
    yield Component(Sort.PACKAGE, f"npm:{asked.name}", str(top.get("version", "")), every)


def _npm_lock(asked: Package, command: Command) -> Path | None:
    """The lock of what was fetched for a specification."""
    env = command.environment
    cache = env.get("npm_config_cache") or env.get("NPM_CONFIG_CACHE") or str(Path(env.get("HOME") or Path.home(), ".npm"))
    for made in sorted(Path(cache, "_npx").glob("*/package.json")):
        said = _json(made).get("_npx")
        if isinstance(said, dict) and said.get("packages") == [asked.spec]:
            lock = made.with_name("node_modules") / ".package-lock.json"
            return lock if lock.is_file() else None
    return None


def _json(path: Path) -> Mapping[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SupplyError(f"{path.name} cannot be read: {error}") from error
    return found if isinstance(found, dict) else {}


def _run(words: tuple[str, ...], command: Command) -> str:
    """What a launcher says that fetches; with the environment the server gets, and where launchers keep things."""
    env = {name: os.environ[name] for name in _OF_ENVIRONMENT if name in os.environ} | dict(command.environment)
    program = shutil.which(words[0], path=env.get("PATH", ""))
    if program is None:
        raise SupplyError(f"{words[0]} was expected on the PATH")
    try:
        done = subprocess.run((program, *words[1:]), env=env, cwd=command.cwd, capture_output=True, timeout=FETCH_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SupplyError(f"{words[0]} could not fetch the package: {type(error).__name__}") from error
    if done.returncode != 0:
        last = clipped(done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2], 200)
        raise SupplyError(f"{words[0]} could not fetch the package: it ended with {done.returncode} and {last!r}")
    return done.stdout.decode("utf-8", "replace")
