"""Static secrets: what a plan's references lead to right now, fit to be sent; the same for everybody."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, assert_never

from doorward.config.references import File
from doorward.credentials.plan import Basic, Environment, Static, StaticHeader, pointers
from doorward.credentials.port import EVERYBODY, CredentialError, Mint, Minted, Use
from doorward.domain.secret import Secret

KEPT_SECONDS = 60.0
"""How long a secret is shown at most before its references are read again, whatever the files' times say."""

Stamp = tuple[int, int, int] | None


class UnfitError(CredentialError):
    """A secret that cannot be sent as it is; the message never holds it."""


class Resolving(Protocol):
    """Reads references, as `config.references.Resolver` does."""

    def resolve(self, text: str) -> Secret:
        """The text with every reference replaced; raises a `DoorwardError` whose message names the reference, never a value."""
        ...


@dataclass(frozen=True, slots=True)
class StaticMint(Mint):
    """Reads what one plan refers to; a changed file is read anew within a second: a rotated secret needs no restart."""

    plan: Static
    resolver: Resolving
    root: Path
    """What relative paths of references are relative to."""
    mark: Callable[[str], str]
    """Tells secrets apart without holding them (`Fingerprints.mark`)."""

    def holder(self, use: Use) -> str:
        """Everybody's."""
        del use
        return EVERYBODY

    async def mint(self, use: Use) -> Minted:
        """What the references lead to now; raises a `DoorwardError`."""
        del use
        # Files are small and local (64 KiB at most), and one read serves a minute of calls. Their times are taken first:
        # a change between the two is seen at the next look.
        stamps = self._stamps()
        headers, environment = self._shown()
        shown = [secret for _, secret in (*headers, *environment)]
        parts = tuple(self.resolver.resolve(str(pointer)) for pointer in pointers(self.plan))
        return Minted(
            headers=headers,
            environment=environment,
            secrets=parts if isinstance(self.plan, Environment) else (*parts, *shown),
            account=self.mark("\0".join(secret.reveal() for secret in shown)),
            renewed_after=KEPT_SECONDS,
            is_current=lambda: self._stamps() == stamps,
        )

    def _shown(self) -> tuple[tuple[tuple[str, Secret], ...], tuple[tuple[str, Secret], ...]]:
        resolve = self.resolver.resolve
        match self.plan:
            case StaticHeader(_, header, text):
                value = _fit(resolve(text), _is_field_value, f"printable ASCII on one line for the header {header}")
                return ((header, value),), ()
            case Basic(_, username, password):
                return (("Authorization", _basic(resolve(username), resolve(password))),), ()
            case Environment(_, variables):
                values = tuple(
                    (name, _fit(resolve(text), _is_c_text, f"no NUL character for the variable {name}")) for name, text in variables
                )
                return (), values
            case _:
                assert_never(self.plan)

    def _stamps(self) -> tuple[Stamp, ...]:
        files = [pointer for pointer in pointers(self.plan) if isinstance(pointer, File)]
        return tuple(_stamp(self.root / file.path) for file in files)


def _basic(username: Secret, password: Secret) -> Secret:
    name = _fit(username, lambda text: _is_c_text(text) and ":" not in text, "a user name without colon (RFC 7617)").reveal()
    return Secret("Basic " + b64encode(f"{name}:{password.reveal()}".encode()).decode())


def _fit(secret: Secret, is_fit: Callable[[str], bool], expected: str) -> Secret:
    if not is_fit(secret.reveal()):
        raise UnfitError(f"expected {expected}, the secret holds something else")
    return secret


def _is_c_text(text: str) -> bool:
    return "\0" not in text


def _is_field_value(text: str) -> bool:
    """RFC 9110 §5.5, without its obsolete bytes: nothing that could end the header and begin another."""
    return text.isascii() and text.isprintable() and text == text.strip() != ""


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
