"""The size guard."""

import pytest

from doorward.domain.findings import Finding, Severity
from doorward.inspection.gate import SHORT_BYTES
from doorward.inspection.guards.size import Size
from doorward.inspection.view import Carrier, View
from tests.made import call


@pytest.mark.parametrize("carrier", list(Carrier))
def test_a_message_may_be_as_large_as_its_carrier_allows_and_no_larger(carrier: Carrier) -> None:
    guard = Size(dict.fromkeys(Carrier, 5_000))
    assert guard.look(View(carrier, call(), {"text": "x" * 4_989})) == ()
    assert guard.look(View(carrier, call(), {"text": "x" * 4_990})) == (Finding("size", "oversize", Severity.HIGH, ""),)


def test_no_bound_is_below_that_of_short_messages_for_which_nobody_asks_the_guard() -> None:
    assert Size(dict.fromkeys(Carrier, SHORT_BYTES)).gates(Carrier.REQUEST) == ()
    with pytest.raises(ValueError, match="4096 bytes, got 4095"):
        Size({**dict.fromkeys(Carrier, SHORT_BYTES), Carrier.NOTICE: SHORT_BYTES - 1})


def test_a_notification_that_carries_a_result_is_oversize() -> None:
    body = {"progress": 1, "message": "x" * 70_000}
    assert [Size().look(View(carrier, call(), body)) != () for carrier in Carrier] == [False, False, True]
