"""What a failure is called, and whether the call may have run."""

import pytest

from doorward.domain.reasons import Ran, Reason
from doorward.net.errors import EgressError, NetError, Trouble
from doorward.upstream.faults import before_call, broken, of_net, turned_away
from tests.upstream.kit import DEMO


@pytest.mark.parametrize(
    ("error", "reason", "ran", "sentence"),
    [
        (EgressError("10.0.0.1 is private"), Reason.UPSTREAM_UNREACHABLE, Ran.NO, "could not be reached; the call was not made."),
        (NetError(Trouble.TLS, "x", Ran.NO), Reason.UPSTREAM_UNREACHABLE, Ran.NO, "could not be reached; the call was not made."),
        (
            NetError(Trouble.CONNECT_TIMEOUT, "x", Ran.NO),
            Reason.UPSTREAM_UNREACHABLE,
            Ran.NO,
            "could not be reached; the call was not made.",
        ),
        (
            NetError(Trouble.IDLE_TIMEOUT, "x", Ran.MAYBE),
            Reason.UPSTREAM_TIMEOUT,
            Ran.MAYBE,
            "did not answer in time; the call may have run.",
        ),
        (NetError(Trouble.CLOSED, "x", Ran.MAYBE), Reason.UPSTREAM_BROKEN, Ran.MAYBE, "broke off; the call may have run."),
        (NetError(Trouble.GARBAGE, "x", Ran.MAYBE), Reason.UPSTREAM_BROKEN, Ran.MAYBE, "gave a broken answer; the call may have run."),
    ],
)
def test_failure_on_the_way_names_the_upstream_and_whether_the_call_ran(error: NetError, reason: Reason, ran: Ran, sentence: str) -> None:
    refused = of_net(DEMO, error)
    assert (refused.reason, refused.ran, refused.public) == (reason, ran, f"The upstream `demo` {sentence}")
    assert str(error) in refused.detail


@pytest.mark.parametrize(
    ("status", "ran"),
    [
        (301, Ran.NO),
        (307, Ran.NO),
        (302, Ran.MAYBE),
        (303, Ran.MAYBE),
        (304, Ran.MAYBE),
        (400, Ran.NO),
        (403, Ran.NO),
        (404, Ran.NO),
        (429, Ran.NO),
        (500, Ran.MAYBE),
        (503, Ran.MAYBE),
        (408, Ran.MAYBE),
        (202, Ran.MAYBE),
    ],
)
def test_status_says_whether_the_request_was_turned_away_at_the_door(status: int, ran: Ran) -> None:
    assert turned_away(DEMO, status).ran is ran


def test_what_failed_before_the_call_was_sent_did_not_run_it() -> None:
    assert before_call(DEMO, NetError(Trouble.IDLE_TIMEOUT, "x", Ran.MAYBE)).ran is Ran.NO
    assert before_call(DEMO, broken(DEMO, "garbage")).ran is Ran.NO
