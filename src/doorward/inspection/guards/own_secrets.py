"""The guard of our own credentials: none of them is in what an agent sends or sees. Exact, so a finding is never a guess."""

from typing import Protocol

from doorward.domain.findings import Finding, Severity
from doorward.inspection.characters import Span, without
from doorward.inspection.view import View
from doorward.inspection.walk import Leaf, pointer

NAME = "own_secrets"
RULE = "own_credential"


class Secrets(Protocol):
    """Knows the secrets that were leased, as `credentials.fingerprints.Fingerprints` does."""

    @property
    def hints(self) -> tuple[str, ...]:
        """A few characters of each."""
        ...

    def near(self, encoded: bytes) -> tuple[str, ...]:
        """The hints of those that may stand in a string of a JSON text; none of the others does."""
        ...

    def spans(self, text: str, hints: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
        """Where those with these hints stand in a text, as character offsets."""
        ...


class OwnSecrets:
    """Reports our own credentials, also where characters that are not seen were strewn into them."""

    __slots__ = ("_secrets",)

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def look(self, view: View) -> tuple[Finding, ...]:
        """One finding for each place; about the whole text where the credential shows only once it is cleaned."""
        hints = self._secrets.near(view.encoded)
        plain = (finding for leaf in view.leaves for finding in self._found(leaf, hints)) if hints else ()
        veiled = (finding for leaf, places in view.hidden for finding in self._veiled(leaf, places, hints))
        return (*plain, *veiled)

    def _found(self, leaf: Leaf, hints: tuple[str, ...]) -> list[Finding]:
        path, text, part = leaf
        return [Finding(NAME, RULE, Severity.HIGH, pointer(path), start, end, part) for start, end in self._secrets.spans(text, hints)]

    def _veiled(self, leaf: Leaf, places: tuple[Span, ...], hints: tuple[str, ...]) -> tuple[Finding, ...]:
        path, text, part = leaf
        if self._secrets.spans(text, hints) or not self._secrets.spans(without(text, places), self._secrets.hints):
            return ()
        return (Finding(NAME, RULE, Severity.HIGH, pointer(path), 0, 0, part),)
