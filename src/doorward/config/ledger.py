"""What an import finds out about secrets: the variables an operator has to set, and remarks; never a value."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from doorward.config.inline import by_form

SHORTEST = 6
"""Characters from which a known secret is also looked for inside other texts."""

PLACEHOLDER = re.compile(r"\$\{(?:(env|input):)?([A-Za-z_][A-Za-z0-9_-]*)(?::-[^}]*)?\}")
"""`${env:NAME}` (Cursor, VS Code), `${input:id}` (VS Code), `${NAME}` and `${NAME:-default}` (Claude Code)."""

PATHS = frozenset({"userHome", "workspaceFolder", "workspaceFolderBasename", "pathSeparator"})
"""Names that clients replace by paths of their own."""


@dataclass(slots=True)
class Ledger:
    """Grows while a file is converted. Secrets stay in here; its `repr` shows none."""

    inputs: Mapping[str, str] = field(default_factory=dict)
    """Descriptions of the values that VS Code asks its user for, by id."""
    notes: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    """What each variable is for."""
    _values: dict[str, str] = field(default_factory=dict, repr=False)

    def note(self, upstream: str, sentence: str) -> None:
        """Adds a remark about an upstream."""
        self.notes.append(f"{upstream}: {sentence}")

    def reference(self, wanted: str, secret: str, upstream: str) -> str:
        """A reference for a secret: the wanted name, or one of the upstream's own where that stands for another secret."""
        name = next(name for name in _candidates(wanted, upstream) if self._values.get(name, secret) == secret)
        self._values[name] = secret
        self.variables.setdefault(name, f"a secret of {upstream}")
        return f"${{env:{name}}}"

    def referring(self, text: str, upstream: str) -> str | None:
        """A text that already refers to variables, in Doorward's form; None if it does not, or also holds a secret."""
        if PLACEHOLDER.search(text) is None or by_form(PLACEHOLDER.sub("", text)):
            return None
        rest = PLACEHOLDER.sub("", text)
        if "${" in rest:
            self.note(upstream, "a text holds a ${…} that Doorward cannot read; it is kept as it is")
        return "".join(self._part(part, upstream) for part in re.split(r"(\$\{[^}]*\})", text))

    def holds_secret(self, text: str) -> bool:
        """Whether a text repeats a secret that was found elsewhere."""
        return any(len(secret) >= SHORTEST and secret in text for secret in self._values.values())

    def _part(self, part: str, upstream: str) -> str:
        found = PLACEHOLDER.fullmatch(part)
        if found is None:
            return escaped(part)
        if found[1] is None and found[2] in PATHS:
            self.note(upstream, f"{found[2]} is a path that only the client knows; write the path itself")
            return escaped(part)
        return self._known(variable(found[2]) if found[1] == "input" else found[2].replace("-", "_"), found[2], upstream)

    def _known(self, name: str, given: str, upstream: str) -> str:
        asked = self.inputs.get(given, "")
        self.variables.setdefault(name, f"{asked} ({upstream})" if asked else f"the file refers to it for {upstream}")
        self._values.setdefault(name, "")
        return f"${{env:{name}}}"


def variable(name: str) -> str:
    """A name as a variable of the environment: `X-Api-Key` is `X_API_KEY`."""
    text = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").upper()
    return text if text and not text[0].isdigit() else f"_{text}"


def escaped(text: str) -> str:
    """A text in which no `${` is read as a reference."""
    return text.replace("${", "$${")


def _candidates(wanted: str, upstream: str) -> Iterable[str]:
    own = f"{variable(upstream)}_{wanted}"
    yield wanted
    yield own
    yield from (f"{own}_{number}" for number in range(2, 10_000))
