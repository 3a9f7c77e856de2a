"""The guard of our own credentials: none of them is in what an agent sends or sees. Exact, so a finding is never a guess."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from doorward.domain.findings import Finding, Severity
from doorward.inspection.characters import Span, without
from doorward.inspection.view import View
from doorward.inspection.walk import Leaf, pointer

NAME = "own_secrets"
RULE = "own_credential"


class Secrets(Protocol):
    """Knows the secrets that were leased, as `credentials.fingerprints.Fingerprints` does."""

    def near(self, encoded: bytes) -> bool:
        """Whether one may stand in a string of a JSON text; without that none does."""
        ...

    def spans(self, text: str) -> tuple[tuple[int, int], ...]:
        """Where they stand in a text, as character offsets."""
        ...


class OwnSecrets:
    """Reports our own credentials, also where characters that are not seen were strewn into them."""

    __slots__ = ("_secrets",)

    name = NAME
    rules: Mapping[str, Severity] = MappingProxyType({RULE: Severity.HIGH})

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def look(self, view: View) -> tuple[Finding, ...]:
        """One finding for each place; about the whole text where the credential shows only once it is cleaned."""
        is_near = self._secrets.near(view.encoded)
        if view.is_plain and not is_near:
            return ()
        found = [finding for leaf in view.leaves for finding in self._found(leaf)] if is_near else []
        return (*found, *(finding for leaf, places in view.hidden for finding in self._veiled(leaf, places)))

    def _found(self, leaf: Leaf) -> list[Finding]:
        path, text, part = leaf
        return [Finding(NAME, RULE, Severity.HIGH, pointer(path), start, end, part) for start, end in self._secrets.spans(text)]

    def _veiled(self, leaf: Leaf, places: tuple[Span, ...]) -> tuple[Finding, ...]:
        path, text, part = leaf
        if self._secrets.spans(text) or not self._secrets.spans(without(text, places)):
            return ()
        return (Finding(NAME, RULE, Severity.HIGH, pointer(path), 0, 0, part),)
