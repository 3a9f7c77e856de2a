"""References to secrets, `${env:NAME}` and `${file:path}`: found when a document is checked, read only when a credential is leased."""

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from doorward.config.problems import SHOWN
from doorward.domain.errors import DoorwardError
from doorward.domain.secret import Secret

FILE_BYTES = 65_536
"""A key or token is far smaller; a bigger file is the wrong file."""

SYNTAX = re.compile(r"\$(?:\$\{|\{([^{}]*)\})")
"""`${…}`; `$${` stands for a literal `${`."""
OPENED = re.compile(r"(?:\$\$\{)|(\$\{)")
ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


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


Pointer = Env | File


def references_in(text: str) -> tuple[Pointer, ...]:
    """Every reference in a text, in order; raises MalformedError."""
    found = tuple(_pointer(match[1]) for match in SYNTAX.finditer(text) if match[1] is not None)
    opened = sum(match[1] is not None for match in OPENED.finditer(text))
    if opened != len(found):
        raise MalformedError("expected ${env:NAME} or ${file:path}, this ${ has no }; write $${ for a literal one")
    return found


def _pointer(inner: str) -> Pointer:
    scheme, colon, rest = inner.partition(":")
    if scheme == "env" and ENV.fullmatch(rest):
        return Env(rest)
    if scheme == "file" and rest.strip() and rest.isprintable():
        return File(rest)
    guess = f"; did you mean ${{env:{inner}}}?" if not colon and ENV.fullmatch(inner) and len(inner) <= SHOWN and inner.isupper() else ""
    raise MalformedError(f"expected ${{env:NAME}} or ${{file:path}}{guess or ', got a ${…} of another form; write $${ for a literal one'}")


def names(text: str) -> str:
    """What a text refers to, for a log: its references without the text around them; `a literal` when it has none."""
    try:
        found = references_in(text)
    except MalformedError:
        return "a malformed reference"
    return " ".join(str(pointer) for pointer in found) or "a literal"


class Resolver:
    """Reads what references lead to. Law: called only where a credential is leased; it keeps nothing."""

    __slots__ = ("_environment", "_root")

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self._root = root
        self._environment = environment

    def resolve(self, text: str) -> Secret:
        """The text with every reference replaced; raises MalformedError or UnresolvedError. Read files anew, so a rotated secret is seen."""
        references_in(text)
        return Secret(SYNTAX.sub(lambda match: "${" if match[1] is None else self._read(_pointer(match[1])), text))

    def missing(self, text: str) -> tuple[str, ...]:
        """Why references in a text cannot be resolved now, a sentence each; values are not kept."""
        sentences: list[str] = []
        for pointer in references_in(text):
            try:
                self._read(pointer)
            except UnresolvedError as error:
                sentences.append(str(error))
        return tuple(sentences)

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
