"""An alert as it leaves: with an id, a time and a count, its texts masked, visible and cut."""

from collections.abc import Callable, Mapping

import msgspec

from doorward.catalog.text import visible
from doorward.domain.alerts import Alert
from doorward.domain.moments import rfc3339_millis

SENTENCE_LETTERS = 500
FIELD_LETTERS = 200
FIELDS = 16


class Letter(msgspec.Struct, frozen=True):
    """One message to every sink."""

    id: str
    kind: str
    """`alert.<kind>` names it outside; `test` besides those of alerts."""
    sentence: str
    fields: Mapping[str, str | int]
    reference: str
    key: str
    count: int
    """How many alerts it stands for."""
    at: float
    """Unix seconds."""

    @property
    def time(self) -> str:
        """When, RFC 3339 in UTC."""
        return rfc3339_millis(self.at)


def letter(alert: Alert, count: int, stamp: tuple[str, float], mask: Callable[[str], str]) -> Letter:
    """An alert with its id and time. `mask` takes our secrets out of a text."""
    number, at = stamp
    fields = {name[:32]: _field(value, mask) for name, value in tuple(alert.fields.items())[:FIELDS]}
    sentence = shown(alert.sentence, mask, SENTENCE_LETTERS)
    return Letter(
        id=number,
        kind=alert.kind.value,
        sentence=sentence,
        fields=fields,
        reference=shown(alert.reference, mask, FIELD_LETTERS),
        key=shown(alert.key, mask, FIELD_LETTERS),
        count=count,
        at=at,
    )


def trial(stamp: tuple[str, float]) -> Letter:
    """A message that says that messages arrive."""
    return Letter(stamp[0], "test", "this is a test of the alerts of this gateway; nothing has happened", {}, "", "", 1, stamp[1])


def shown(text: str, mask: Callable[[str], str], most: int) -> str:
    """A text on one line, without our secrets and with nothing hidden in it."""
    line = visible(mask(text)).replace("\n", " ")
    return line if len(line) <= most else line[: most - 1] + "…"


def _field(value: str | int, mask: Callable[[str], str]) -> str | int:
    return shown(value, mask, FIELD_LETTERS) if isinstance(value, str) else value
