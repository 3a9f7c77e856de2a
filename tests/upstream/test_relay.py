"""Which notifications reach the caller of a request."""

import pytest

from doorward.domain.calls import Notice
from doorward.upstream.relay import Relay
from doorward.wire.jsonrpc import Notification

PROGRESS = "notifications/progress"
LOG = "notifications/message"


@pytest.mark.parametrize("token", [8, "7", 7.0, True, None])
def test_progress_of_another_request_is_dropped(token: object) -> None:
    found = Relay(7, None).pick(Notification(PROGRESS, {"progressToken": token, "progress": 1}))
    assert found is None or token == 7.0


def test_progress_comes_without_our_token() -> None:
    found = Relay(7, None).pick(Notification(PROGRESS, {"progressToken": 7, "progress": 1, "message": "m", "x": 2}))
    assert found == Notice(PROGRESS, {"progress": 1, "message": "m", "x": 2})


def test_progress_is_dropped_where_none_is_wanted() -> None:
    assert Relay(None, "debug").pick(Notification(PROGRESS, {"progressToken": None, "progress": 1})) is None


@pytest.mark.parametrize(
    ("wanted", "level", "passes"),
    [
        (None, "emergency", False),
        ("debug", "debug", True),
        ("info", "debug", False),
        ("warning", "warning", True),
        ("warning", "critical", True),
        ("emergency", "alert", False),
        ("loud", "emergency", False),
        ("debug", "loud", False),
        ("debug", 3, False),
    ],
)
def test_log_message_passes_if_it_is_as_severe_as_asked_for(wanted: str | None, level: object, passes: bool) -> None:
    params = {"level": level, "data": "x"}
    assert Relay(1, wanted).pick(Notification(LOG, params)) == (Notice(LOG, params) if passes else None)


def test_any_other_notification_is_dropped() -> None:
    assert Relay(1, "debug").pick(Notification("notifications/resources/updated", {"progressToken": 1})) is None
