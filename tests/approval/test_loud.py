"""A broken glass is an error in the journal, from its beginning to its end; an exception is worth a line."""

import io
import json
from dataclasses import replace

from doorward.approval.loud import journaled
from doorward.approval.waivers import ended, expired, granted
from doorward.telemetry.journal import Journal
from doorward.testing.stores.waivers import NOW, exception, glass


def test_each_beginning_and_end_is_a_line_as_grave_as_what_it_is_of() -> None:
    stream = io.StringIO()
    follower = journaled(Journal(stream, lambda: NOW))
    broken, given = glass("g"), replace(exception("e"), reason="a\nb")
    for event, waiver in ((granted(broken), broken), (expired(broken), broken), (granted(given), given), (ended(given, "bob"), given)):
        follower(event, waiver)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    of_glass = {"waiver": "g", "agent": "claude", "action": "everything", "ends": int(NOW + 900), "reason": "everything is down"}
    of_exception = {"waiver": "e", "agent": "claude", "action": "git/commit", "ends": int(NOW + 3600), "reason": "a\nb"}
    assert [{name: value for name, value in line.items() if name != "ts"} for line in lines] == [
        {"level": "error", "event": "glass_broken", **of_glass, "by": "ada"},
        {"level": "error", "event": "glass_expired", **of_glass, "by": "doorward"},
        {"level": "info", "event": "exception_granted", **of_exception, "by": "corp:ada"},
        {"level": "info", "event": "exception_ended", **of_exception, "by": "bob"},
    ]
