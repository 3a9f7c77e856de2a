"""What is done about a finding: a table by guard, direction and severity (RULINGS 6). It ships so that the defaults protect.

Each finding is disposed of by itself and the hardest disposition of a message counts, so that more findings never loosen.
In each row a graver finding is never met with less. An operator's rules come before the table (`policy/dispositions.py`).
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from doorward.domain.findings import Direction, Disposition, Finding, Severity

_HARDNESS: Mapping[Disposition, int] = {disposition: rank for rank, disposition in enumerate(Disposition)}


class Row(msgspec.Struct, frozen=True):
    """What is done about findings of one guard in one direction, by severity."""

    low: Disposition
    medium: Disposition
    high: Disposition

    def of(self, severity: Severity) -> Disposition:
        """The disposition for a severity."""
        match severity:
            case Severity.LOW:
                return self.low
            case Severity.MEDIUM:
                return self.medium
            case Severity.HIGH:
                return self.high


Table = Mapping[tuple[str, Direction], Row]
"""Rows by guard and direction; a guard that has none falls under `OTHER`."""

_PASS, _LABEL, _REDACT, _ASK, _BLOCK = (
    Disposition.PASS,
    Disposition.LABEL,
    Disposition.REDACT,
    Disposition.ASK,
    Disposition.BLOCK,
)

OTHER: Mapping[Direction, Row] = MappingProxyType(
    {Direction.REQUEST: Row(_PASS, _BLOCK, _BLOCK), Direction.RESPONSE: Row(_PASS, _REDACT, _BLOCK)}
)
"""For guards that nobody has thought of: what goes out is stopped, what comes in is cut."""

DEFAULT: Table = MappingProxyType(
    {
        # Our own credential in an argument is being carried out; in a result, only its text must not be seen.
        ("own_secrets", Direction.REQUEST): Row(_BLOCK, _BLOCK, _BLOCK),
        ("own_secrets", Direction.RESPONSE): Row(_REDACT, _REDACT, _REDACT),
        # What looks like somebody's secret may be a test value: a sure one is stopped, a likely one is asked about.
        ("secrets", Direction.REQUEST): Row(_PASS, _ASK, _BLOCK),
        ("secrets", Direction.RESPONSE): Row(_PASS, _REDACT, _REDACT),
        # An agent may have to send a card number where it belongs: a person says so.
        ("pii", Direction.REQUEST): Row(_PASS, _PASS, _ASK),
        ("pii", Direction.RESPONSE): Row(_PASS, _PASS, _REDACT),
        # Whoever names a field, a word or a document of theirs has said what it is: it does not leave, and is not shown.
        ("fields", Direction.REQUEST): Row(_PASS, _ASK, _BLOCK),
        ("fields", Direction.RESPONSE): Row(_PASS, _REDACT, _REDACT),
        ("dictionary", Direction.REQUEST): Row(_PASS, _ASK, _BLOCK),
        ("dictionary", Direction.RESPONSE): Row(_PASS, _REDACT, _REDACT),
        ("documents", Direction.REQUEST): Row(_PASS, _ASK, _BLOCK),
        ("documents", Direction.RESPONSE): Row(_PASS, _REDACT, _REDACT),
        # Taking hidden characters out of a result loses nothing a person sees; out of arguments it would change what is written.
        ("unicode", Direction.REQUEST): Row(_PASS, _PASS, _BLOCK),
        ("unicode", Direction.RESPONSE): Row(_PASS, _REDACT, _REDACT),
        # Rules find crude injections only and are sometimes wrong: the sentence goes, the result stays (docs/decisions/injection.md).
        ("injection", Direction.REQUEST): Row(_PASS, _PASS, _ASK),
        ("injection", Direction.RESPONSE): Row(_PASS, _REDACT, _REDACT),
        # What looks like an attack on a server may be what a person searches for: only what is unmistakable waits for somebody's yes.
        ("tricks", Direction.REQUEST): Row(_PASS, _PASS, _ASK),
        ("links", Direction.REQUEST): Row(_PASS, _PASS, _BLOCK),
        ("links", Direction.RESPONSE): Row(_PASS, _REDACT, _REDACT),
        # A field for a secret cannot be taken out of a form: the server has to lead to a page of its own. A text that asks may be harmless.
        ("elicitation", Direction.RESPONSE): Row(_PASS, _LABEL, _BLOCK),
        # There is nothing to cut out of a message that is too large or of another form than its tool declares.
        ("schema", Direction.REQUEST): Row(_PASS, _BLOCK, _BLOCK),
        ("schema", Direction.RESPONSE): Row(_PASS, _BLOCK, _BLOCK),
        ("size", Direction.REQUEST): Row(_PASS, _BLOCK, _BLOCK),
        ("size", Direction.RESPONSE): Row(_PASS, _BLOCK, _BLOCK),
    }
)


def dispose(finding: Finding, direction: Direction, table: Table = DEFAULT) -> Disposition:
    """What is done about one finding of a message that travels this way."""
    row = table.get((finding.guard, direction))
    return (OTHER[direction] if row is None else row).of(finding.severity)


def hardest(dispositions: Iterable[Disposition]) -> Disposition:
    """What is done about a message with these dispositions; PASS if there are none."""
    return max(dispositions, key=_HARDNESS.__getitem__, default=Disposition.PASS)
