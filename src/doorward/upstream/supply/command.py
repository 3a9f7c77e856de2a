"""What a command runs, told without running it: the program, the script or module it is given, the package that a launcher fetches."""

import re
import shlex
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Final

import msgspec

INTERPRETERS: Final = re.compile(r"(?:python|pypy|node|nodejs|deno|bun|ruby|perl|php|bash|sh|dash|zsh|java|dotnet|lua)[0-9.]*(?:\.exe)?")
"""Programs that do what a file says."""
SCRIPTS: Final = (".py", ".js", ".mjs", ".cjs", ".ts", ".mts", ".sh", ".rb", ".pl", ".php", ".jar", ".dll", ".lua", ".wasm", ".pyz")
"""Endings of files that are programs, wherever they stand among the arguments."""

WRAPPERS: Final = frozenset(
    "env nice nohup setsid stdbuf timeout time ionice chrt taskset numactl sudo doas tini dumb-init catatonit unbuffer".split()
)
"""Programs that run the command that stands among their arguments."""
PRELOADS: Final = frozenset({"-r", "--require", "--import", "--loader", "--experimental-loader"})
"""Options of interpreters behind which stands a file that runs before the one that is meant."""
_SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash", "fish"})

_LAUNCHERS: Final = {"npx": "npm", "bunx": "npm", "uvx": "pypi", "docker": "image", "podman": "image"}
_WITH_VALUE: Final = {
    "npm": frozenset({"-p", "--package", "-c", "--call", "--registry", "--cache", "--prefix"}),
    "pypi": frozenset(
        {"--from", "--with", "-p", "--python", "--index", "--index-url", "--extra-index-url", "--with-requirements", "--directory"}
    ),
    "image": frozenset(
        "-e --env --env-file -v --volume --mount -p --publish --name --network --net -u --user -w --workdir --entrypoint --label -l "
        "--platform --pull -h --hostname --add-host --cap-add --cap-drop --security-opt --memory -m --cpus --tmpfs --runtime --ulimit".split()
    ),
}


def wrapped(words: Sequence[str], is_program: Callable[[str], bool]) -> tuple[str, ...]:
    """The command that a wrapper is given: what begins with the first word that is a program; nothing where there is none."""
    rest = [part for word in words[1:] for part in (shlex.split(word) if " " in word and words[0].endswith("env") else (word,))]
    for at, word in enumerate(rest):
        if not word.startswith("-") and "=" not in word and is_program(word):
            return tuple(rest[at:])
    return ()


def is_dictated(words: Sequence[str]) -> bool:
    """Whether a shell is given its commands as a text, of which nobody can tell what it runs (`sh -c`)."""
    if words[0].rpartition("/")[2] not in _SHELLS:
        return False
    options = takewhile(lambda word: word.startswith("-"), words[1:])
    return any(not option.startswith("--") and "c" in option for option in options)


def is_told_otherwise(arguments: Sequence[str]) -> bool:
    """Whether an interpreter is given a module, or a text, instead of a file: then the files behind that are what it works on, not what runs."""
    options = takewhile(lambda word: word.startswith("-"), arguments)
    return any(option.partition("=")[0] in _INSTEAD for option in options)


_INSTEAD: Final = frozenset({"-c", "-m", "-e", "--eval", "-p", "--print", "-pe"})
"""Options of Python, shells, Node, Ruby and Perl after which no script follows."""


class Package(msgspec.Struct, frozen=True):
    """What a launcher is asked for: registry and specification, such as `npm` and `@scope/name@1.2.3`."""

    registry: str
    spec: str

    @property
    def name(self) -> str:
        """Its name without a version."""
        if self.registry == "npm":
            at = self.spec.rfind("@")
            return self.spec[:at] if at > 0 else self.spec
        return re.split(r"[@=<>!~\[; ]", self.spec, maxsplit=1)[0]


def package(command: Sequence[str]) -> Package | None:
    """The package or image that a launcher is asked for; None where the command is no launcher's."""
    words = list(command)
    program = words[0].rsplit("/", 1)[-1].removesuffix(".exe")
    match (program, *words[1:3]):
        case ("npm", "exec" | "x", *_) | ("pnpm" | "yarn", "dlx", *_):
            return _asked("npm", words[2:])
        case ("uv", "tool", "run"):
            return _asked("pypi", words[3:])
        case ("pipx", "run", *_):
            return _asked("pypi", words[2:])
        case ("docker" | "podman", "run", *_):
            return _asked("image", words[2:])
        case (name, *_) if name in _LAUNCHERS and _LAUNCHERS[name] != "image":
            return _asked(_LAUNCHERS[name], words[1:])
        case _:
            return None


def _asked(registry: str, words: list[str]) -> Package | None:
    """The first word that is no option; or what `--package` or `--from` says."""
    rest = iter(words)
    for word in rest:
        option, equals, value = word.partition("=")
        if option in {"-p", "--package", "--from"} and (registry, option) != ("pypi", "-p") and registry != "image":
            return Package(registry, value if equals else next(rest, ""))
        if not word.startswith("-"):
            return Package(registry, word)
        if option in _WITH_VALUE[registry] and not equals:
            next(rest, None)
    return None


def module(arguments: Sequence[str]) -> str | None:
    """The module that `python -m` is given; its top-level name."""
    for at, word in enumerate(arguments):
        if word == "-m" and at + 1 < len(arguments):
            return arguments[at + 1].split(".")[0]
        if not word.startswith("-"):
            return None
    return None
