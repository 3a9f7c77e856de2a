"""References to secrets, such as `${env:NAME}` and `${file:path}`: found when a document is checked, read only when a credential is leased."""

import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from doorward.config.problems import SHOWN
from doorward.domain.errors import DoorwardError
from doorward.domain.secret import Secret

FILE_BYTES = 65_536
"""A key or token is far smaller; a bigger file is the wrong file."""

SYNTAX = re.compile(r"\$(?:\$\{|\{([^{}]*)\})")
"""`${…}`; `$${` stands for a literal `${`."""
OPENED = re.compile(r"(?:\$\$\{)|(\$\{)")
ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OPENBAO = re.compile(r"[A-Za-z0-9_.@~+-]+(?:/[A-Za-z0-9_.@~+-]+)+#[^\s#/]+")
"""A path of two parts or more, none of them a way out of it, and a field."""
KEYRING = re.compile(r"\S(?:.*\S)?/[^/\s](?:[^/]*[^/\s])?")
SCHEME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
OUT = re.compile(r"(?:^|/)\.{1,2}(?:/|#|$)")
KNOWN = "${env:NAME}, ${file:path}, ${openbao:path#field} or ${keyring:service/name}"


CREDENTIAL = "credential"
"""`${credential}`, in the environment of a process alone: the token that is made for it. It leads to no source, so it is no pointer."""


class MalformedError(DoorwardError):
    """A text holds `${` but no reference that Doorward knows; the message says what to write, never what was written."""


class UnresolvedError(DoorwardError):
    """A reference leads to nothing; the message names the variable or file, never a value."""


@dataclass(frozen=True, slots=True)
class Env:
    """A variable of the gateway's own environment."""

    name: str

    def __str__(self) -> str:
        return f"${{env:{self.name}}}"


@dataclass(frozen=True, slots=True)
class File:
    """The text of a file, without its last line break; the path is relative to the document."""

    path: str

    def __str__(self) -> str:
        return f"${{file:{self.path}}}"


@dataclass(frozen=True, slots=True)
class Remote:
    """A secret that a source keeps: OpenBao, the keyring of the system, or one that is declared under `secrets.sources`."""

    scheme: str
    place: str
    """Where the source has it: a path, or service and name."""
    field: str = ""
    """Which text of several; empty where a secret is one text."""

    def __str__(self) -> str:
        return f"${{{self.scheme}:{self.place}{'#' if self.field else ''}{self.field}}}"


Pointer = Env | File | Remote


def references_in(text: str) -> tuple[Pointer, ...]:
    """Every reference in a text, in order; raises MalformedError."""
    found = tuple(_pointer(match[1]) for match in SYNTAX.finditer(text) if match[1] is not None)
    opened = sum(match[1] is not None for match in OPENED.finditer(text))
    if opened != len(found):
        raise MalformedError(f"expected {KNOWN}, this ${{ has no }}; write $${{ for a literal one")
    return found


def _pointer(inner: str) -> Pointer:
    scheme, colon, rest = inner.partition(":")
    own = _OWN.get(scheme)
    if own is not None:
        pointer = own.read(rest)
        if pointer is None:
            raise MalformedError(f"expected {own.expected}, got a ${{{scheme}:…}} of another form")
        return pointer
    if not colon or not SCHEME.fullmatch(scheme) or not _is_path(rest):
        raise MalformedError(f"expected {KNOWN}{_guess(inner)}")
    # Of a source that another package brings; whether it is declared, the check of the document says.
    place, _, field = rest.rpartition("#") if "#" in rest else (rest, "", "")
    return Remote(scheme, place, field)


def _is_path(text: str) -> bool:
    return bool(text.strip()) and text.isprintable()


def _bao(text: str) -> Remote | None:
    return Remote("openbao", *text.split("#")) if OPENBAO.fullmatch(text) and not OUT.search(text) else None


@dataclass(frozen=True, slots=True)
class _Own:
    """A scheme that needs no other package."""

    expected: str
    read: Callable[[str], Pointer | None]


_OWN = {
    "env": _Own("${env:NAME} with letters, digits and underscores", lambda text: Env(text) if ENV.fullmatch(text) else None),
    "file": _Own("${file:path}", lambda text: File(text) if _is_path(text) else None),
    "openbao": _Own("${openbao:path#field} such as ${openbao:secret/ci#token}, with the mount first", _bao),
    "keyring": _Own(
        "${keyring:service/name}", lambda text: Remote("keyring", text) if KEYRING.fullmatch(text) and text.isprintable() else None
    ),
}

OWN_SCHEMES = tuple(_OWN)
"""Schemes that need no other package."""


def _guess(inner: str) -> str:
    if ENV.fullmatch(inner) and len(inner) <= SHOWN and inner.isupper():
        return f"; did you mean ${{env:{inner}}}?"
    return ", got a ${…} of another form; write $${ for a literal one"


def is_given(text: str) -> bool:
    """Whether a text of an environment holds `${credential}`."""
    return any(match[1] == CREDENTIAL for match in SYNTAX.finditer(text))


def given(text: str, token: str) -> str:
    """Such a text with the token in its place; it holds no other reference."""
    return SYNTAX.sub(lambda match: "${" if match[1] is None else token, text)


def names(text: str) -> str:
    """What a text refers to, for a log: its references without the text around them; `a literal` when it has none."""
    if is_given(text):
        return f"${{{CREDENTIAL}}}"
    try:
        found = references_in(text)
    except MalformedError:
        return "a malformed reference"
    return " ".join(str(pointer) for pointer in found) or "a literal"


def _elsewhere(pointer: Remote) -> str:
    raise UnresolvedError(f"{pointer} is read by the running gateway alone")


class Resolver:
    """Reads what references lead to. Law: called only where a credential is leased; it keeps nothing."""

    __slots__ = ("_environment", "_remote", "_root")

    def __init__(self, root: Path, environment: Mapping[str, str], remote: Callable[[Remote], str] = _elsewhere) -> None:
        """`remote`: what a source said of its secret; raises `UnresolvedError` where it has said nothing."""
        self._root = root
        self._environment = environment
        self._remote = remote

    def beside(self, remote: Callable[[Remote], str]) -> "Resolver":
        """The same with other answers of sources."""
        return Resolver(self._root, self._environment, remote)

    def resolve(self, text: str) -> Secret:
        """The text with every reference replaced; raises MalformedError or UnresolvedError. Read files anew, so a rotated secret is seen."""
        references_in(text)
        return Secret(SYNTAX.sub(lambda match: "${" if match[1] is None else self._read(_pointer(match[1])), text))

    def missing(self, text: str) -> tuple[str, ...]:
        """Why references in a text cannot be resolved now, a sentence each; values are not kept. What sources keep is not asked for."""
        local = (pointer for pointer in references_in(text) if not isinstance(pointer, Remote))
        return tuple(sentence for pointer in local if (sentence := self.why_not(pointer)))

    def why_not(self, pointer: Pointer) -> str:
        """Why one reference cannot be resolved now; empty if it can."""
        try:
            self._read(pointer)
        except UnresolvedError as error:
            return str(error)
        return ""

    def is_like(self, text: str, form: re.Pattern[str]) -> bool:
        """Whether what references lead to has a form; raises UnresolvedError. The value is not kept."""
        return form.fullmatch(self.resolve(text).reveal()) is not None

    def exposed(self, text: str) -> tuple[str, ...]:
        """Files among a text's references that others than their owner and group may read."""
        files = [self._root / pointer.path for pointer in references_in(text) if isinstance(pointer, File)]
        return tuple(str(file) for file in files if _mode(file) & stat.S_IROTH)

    def _read(self, pointer: Pointer) -> str:
        match pointer:
            case Env(name):
                if not (value := self._environment.get(name, "")):
                    raise UnresolvedError(f"the variable {name} is not set, or empty")
                return value
            case File(path):
                return _text(self._root / path)
            case Remote():
                return self._remote(pointer)
            case _:
                assert_never(pointer)


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise UnresolvedError(f"no file {path}")
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES + 1)
        if len(raw) > FILE_BYTES:
            raise UnresolvedError(f"the file {path} is larger than {FILE_BYTES} bytes")
        text = raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise UnresolvedError(f"the file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        # `from None`: the error would carry the bytes.
        raise UnresolvedError(f"the file {path} is not UTF-8") from None
    if not text:
        raise UnresolvedError(f"the file {path} is empty")
    return text


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0
