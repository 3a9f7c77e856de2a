"""The guard of our own credentials: none of them is in what an agent sends or sees. Exact, so a finding is never a guess."""

from typing import Protocol

from doorward.domain.findings import Finding, Severity
from doorward.inspection.characters import cleaned, is_plain
from doorward.inspection.view import View
from doorward.inspection.walk import Leaf, pointer

NAME = "own_secrets"
RULE = "own_credential"


class Secrets(Protocol):
    """Knows the secrets that were leased, as `credentials.fingerprints.Fingerprints` does."""

    def near(self, encoded: bytes) -> bool:
        """Whether a JSON text could hold one of them in a string; false means that none is there."""
        ...

    def spans(self, text: str) -> tuple[tuple[int, int], ...]:
        """Where they stand in a text, as character offsets."""
        ...


class OwnSecrets:
    """Reports our own credentials, also where invisible characters were strewn into them."""

    __slots__ = ("_secrets",)

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def look(self, view: View) -> tuple[Finding, ...]:
        """One finding for each place, whole strings where the credential shows only once they are cleaned."""
        if self._secrets.near(view.encoded):
            return tuple(finding for leaf in view.leaves for finding in self._found(leaf))
        if view.is_plain:
            return ()
        return tuple(finding for leaf in view.leaves if not is_plain(leaf[1]) for finding in self._found(leaf))

    def _found(self, leaf: Leaf) -> list[Finding]:
        path, text, part = leaf
        spans = self._secrets.spans(text)
        if not spans and not is_plain(text) and self._secrets.spans(cleaned(text)):
            spans = ((0, 0),)
        return [Finding(NAME, RULE, Severity.HIGH, pointer(path), start, end, part) for start, end in spans]
