"""What is left, as `_meta` and as the two header fields of draft-ietf-httpapi-ratelimit-headers-11."""

import pytest

from doorward.wire.limits import LIMITS_KEY, Entry, fields, in_meta, of_result

CALLS: Entry = {"name": "calls", "quota": 10, "windowSeconds": 60, "left": 7, "resetSeconds": 3}
FULL: Entry = {"name": "full", "quota": 10, "windowSeconds": 60, "left": 10}
RUNNING: Entry = {"name": "running", "quota": 5, "unit": "concurrent-requests", "left": 0}
BYTES: Entry = {"name": "bytes", "quota": 9000, "unit": "content-bytes", "windowSeconds": 86400, "left": 1, "resetSeconds": 86400}
MONEY: Entry = {"name": "payments", "quota": "1000.00", "unit": "EUR", "left": "12.50"}


@pytest.mark.parametrize(
    ("entries", "policy", "limit"),
    [
        ([CALLS], '"calls";q=10;w=60', '"calls";r=7;t=3'),
        ([FULL], '"full";q=10;w=60', '"full";r=10'),
        ([RUNNING], '"running";q=5;qu="concurrent-requests"', '"running";r=0'),
        ((CALLS, MONEY, BYTES), '"calls";q=10;w=60,"bytes";q=9000;qu="content-bytes";w=86400', '"calls";r=7;t=3,"bytes";r=1;t=86400'),
    ],
)
def test_entries_are_told_as_lists_of_items_where_the_fields_have_a_word_for_their_unit(
    entries: list[Entry], policy: str, limit: str
) -> None:
    assert fields(entries) == [(b"ratelimit-policy", policy.encode()), (b"ratelimit", limit.encode())]


@pytest.mark.parametrize("entries", [None, [], (), [MONEY]])
def test_without_anything_to_tell_there_are_no_fields(entries: object) -> None:
    assert fields(entries) == []


def test_a_result_is_told_by_what_is_in_its_meta() -> None:
    assert of_result({"_meta": {"a": 1, **in_meta([FULL])}}) == fields([FULL])


@pytest.mark.parametrize("result", [{}, {"_meta": None}, {"_meta": {"a": 1}}, {"_meta": in_meta([])}])
def test_a_result_that_tells_nothing_has_no_fields(result: dict[str, object]) -> None:
    assert of_result(result) == []


def test_the_meta_names_each_limit_once() -> None:
    assert in_meta((CALLS, MONEY)) == {LIMITS_KEY: [CALLS, MONEY]}
