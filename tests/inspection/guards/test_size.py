"""The size guard."""

import pytest

from doorward.domain.findings import Finding, Severity
from doorward.inspection.guards.size import Size
from doorward.inspection.view import Carrier, View
from tests.made import call


@pytest.mark.parametrize("carrier", list(Carrier))
def test_a_message_may_be_as_large_as_its_carrier_allows_and_no_larger(carrier: Carrier) -> None:
    body = {"text": "x" * 89}
    guard = Size(dict.fromkeys(Carrier, 100))
    assert guard.look(View(carrier, call(), body)) == ()
    assert guard.look(View(carrier, call(), {"text": "x" * 90})) == (Finding("size", "oversize", Severity.HIGH, ""),)


def test_a_notification_that_carries_a_result_is_oversize() -> None:
    body = {"progress": 1, "message": "x" * 70_000}
    assert [Size().look(View(carrier, call(), body)) != () for carrier in Carrier] == [False, False, True]
