"""A command in a sandbox (bubblewrap): no network, no files but the system's, its own program's and those that are declared.

What is not declared is not there. Environment variables are exactly those the process is given anyway; it sees no other process, has
no capability, and ends with the gateway. Where there is no bubblewrap, a server with a declared sandbox is not started.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from doorward.upstream.supply.command import SCRIPTS
from doorward.upstream.supply.parts import SupplyError

PROGRAM: Final = "bwrap"

SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
"""Programs and libraries."""
SETTINGS: Final = (
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/group",
)
"""What programs ask of the system and holds no secret; the names of users are no secret to a process on a machine."""
NETWORK: Final = ("/etc/resolv.conf", "/etc/hosts", "/etc/services", "/etc/gai.conf")
"""What it asks besides to find hosts."""

INSTALLED: Final = ("bin", "lib", "lib64", "libexec", "share")
"""What belongs to programs in a directory with a `bin`; the gateway's own state and configuration may well stand beside them."""


class Cage(msgspec.Struct, frozen=True):
    """What a process may touch."""

    network: Literal["none", "all"]
    read: tuple[str, ...]
    write: tuple[str, ...]


def caged(command: Sequence[str], cage: Cage, cwd: str | None, path: str) -> tuple[str, ...]:
    """The command that runs another one (its first word an absolute path) in a cage; raises `SupplyError` where there is no bubblewrap.

    `path`: the PATH on which bubblewrap is looked for, which is the gateway's own.
    """
    program = shutil.which(PROGRAM, path=path)
    if program is None:
        raise SupplyError("a sandbox is declared, and bubblewrap (bwrap) is not on the gateway's PATH")
    directory = cwd or "/"
    readable = [*SYSTEM, *SETTINGS, *(NETWORK if cage.network == "all" else ()), *_own(command, directory), *cage.read]
    words = [program, "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--proc", "/proc", "--dev", "/dev"]
    words += ["--tmpfs", "/tmp"]  # noqa: S108 -- inside: a directory of its own that goes with it
    words += ["--share-net"] if cage.network == "all" else []
    for place in _outermost(readable):
        words += ["--ro-bind-try", place, place]
    for place in cage.write:
        # Not tried: a server that cannot keep what it was meant to keep is not started.
        words += ["--bind", place, place]
    return (*words, "--chdir", _directory(directory, (*readable, *cage.write)), "--", *command)


def _own(command: Sequence[str], cwd: str) -> Iterator[str]:
    """The program and the scripts it is given, and no more of their directories, where other things may lie; of a Python environment
    all of it, and the installation it was made from.
    """
    program = Path(command[0])
    for one in dict.fromkeys((program, program.resolve())):
        yield str(one)
        yield from _installation(one)
    for word in command[1:]:
        script = Path(cwd, word)
        if not word.startswith("-") and script.suffix in SCRIPTS and script.is_file():
            yield str(script.absolute())


def _installation(program: Path) -> Iterator[str]:
    root = program.parent.parent
    made = root / "pyvenv.cfg"
    if made.is_file():
        yield str(root)
        base = (root / "bin/python").resolve()
        yield str(base.parent.parent)
    elif program.parent.name == "bin" and root not in (Path("/"), Path("/usr"), Path("/usr/local"), Path.home(), Path.home() / ".local"):
        # An installation of its own, such as of Node or a Python of pyenv: its libraries are beside its programs, and anything else may be.
        yield from (str(root / name) for name in INSTALLED)


def _outermost(places: Iterable[str]) -> list[str]:
    """The places that are in no other one; `/` is none, whoever declares it."""
    kept: list[Path] = []
    for place in sorted({Path(place) for place in places}, key=lambda one: len(one.parts)):
        if not any(place.is_relative_to(one) for one in kept):
            kept.append(place)
    return list(map(str, kept))


def _directory(cwd: str, places: Iterable[str]) -> str:
    """Where it begins: in its directory if it may see that, else in a place where there is nothing."""
    return cwd if any(Path(cwd).is_relative_to(place) for place in places) else "/tmp"  # noqa: S108 -- its own, inside
