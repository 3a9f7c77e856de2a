"""The journal: one JSON object a line, whatever is told."""

import errno
import io
import json

from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.secret import Secret
from doorward.telemetry.journal import Journal, Level

AT = 1_795_003_200.5


def journal(least: Level = Level.INFO) -> tuple[Journal, io.StringIO]:
    stream = io.StringIO()
    return Journal(stream, lambda: AT, least), stream


def test_a_line_says_when_how_grave_what_and_its_facts() -> None:
    told, stream = journal()
    told.say("gateway_started", host="127.0.0.1", port=1, ready=True, why=None, ratio=0.5)
    assert json.loads(stream.getvalue()) == {
        "ts": "2026-11-18T12:00:00.500Z",
        "level": "info",
        "event": "gateway_started",
        "host": "127.0.0.1",
        "port": 1,
        "ready": True,
        "why": None,
        "ratio": 0.5,
    }


def test_what_matters_less_than_is_wanted_is_not_told() -> None:
    for least in Level:
        told, stream = journal(least)
        for level in Level:
            told.say("event", level)
        levels = [json.loads(line)["level"] for line in stream.getvalue().splitlines()]
        assert levels == list(Level)[list(Level).index(least) :]


NAMES = st.from_regex(r"[a-z_]{1,9}", fullmatch=True).filter(lambda name: name not in ("self", "event", "level", "ts"))


@given(st.text(), st.dictionaries(NAMES, st.text(), max_size=4))
def test_text_from_outside_makes_no_other_line(event: str, fields: dict[str, str]) -> None:
    told, stream = journal()
    told.say(event, **fields)  # type: ignore[arg-type]
    line = stream.getvalue()
    assert (line.count("\n"), line[-1]) == (1, "\n")
    assert json.loads(line)["event"] == event


def test_long_text_is_cut_and_secrets_say_nothing() -> None:
    told, stream = journal()
    told.say("event", long="x" * 5000, secret=Secret("hunter2"), error=ValueError("odd"))
    line = json.loads(stream.getvalue())
    assert (len(line["long"]), line["long"][-1], line["secret"], line["error"]) == (1001, "…", "Secret(…)", "odd")


class FullDisk(io.StringIO):
    """Takes lines as long as there is room."""

    has_room = True

    def write(self, text: str) -> int:
        if not self.has_room:
            raise OSError(errno.ENOSPC, "no space left on device")
        return super().write(text)


def test_a_stream_that_cannot_be_written_fails_nobody_and_the_lines_it_cost_are_counted() -> None:
    stream = FullDisk()
    told = Journal(stream, lambda: AT)
    told.say("first")
    stream.has_room = False
    for _ in range(3):
        told.say("lost")
    stream.has_room = True
    told.say("second")
    told.say("third")
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line.get("lines")) for line in found] == [
        ("first", None),
        ("journal_lines_lost", 3),
        ("second", None),
        ("third", None),
    ]
