"""The guard of structured personal data: where it says what stands."""

import base64
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.findings import Finding, Part, Severity
from doorward.inspection.guards.pii import Pii
from doorward.inspection.view import Carrier, View
from tests.made import call

SSN = "536-90-4399"
CARD = "4111111111111111"


def look(body: dict[str, object]) -> tuple[Finding, ...]:
    return Pii().look(View(Carrier.RESPONSE, call(), body))


def high(rule: str, pointer: str, start: int = 0, end: int = 0, part: Part = Part.VALUE) -> Finding:
    return Finding("pii", rule, Severity.HIGH, pointer, start, end, part)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"text": f"SSN {SSN}."}, (high("us_ssn", "/text", 4, 15),)),
        ({"a": 'é "quoted" \\ \n\u0001', "text": f'é\t"{SSN}"'}, (high("us_ssn", "/text", 3, 14),)),
        ({"n": Decimal("1.5"), "text": SSN}, (high("us_ssn", "/text", 0, 11),)),
        ({"rows": [{"n": 1}, {"card": int(CARD)}]}, (high("card", "/rows/1/card"),)),
        ({SSN: 1}, (high("us_ssn", f"/{SSN}", 0, 11, Part.KEY),)),
        (
            {"t": f'"é" {SSN}\n😀 {SSN}', "n": int(CARD), "u": f"\\ {SSN}"},
            (high("us_ssn", "/t", 4, 15), high("us_ssn", "/t", 18, 29), high("card", "/n"), high("us_ssn", "/u", 2, 13)),
        ),
        ({"a/b": [SSN, SSN]}, (high("us_ssn", "/a~1b/0", 0, 11), high("us_ssn", "/a~1b/1", 0, 11))),
        ({"text": "nothing at all"}, ()),
    ],
    ids=str,
)
def test_each_place_is_told(body: dict[str, object], expected: tuple[Finding, ...]) -> None:
    assert look(body) == expected


def test_what_is_written_in_base64_is_found_over_all_that_is_written_so() -> None:
    written = base64.b64encode(f"the number is {SSN}".encode()).decode()
    assert look({"text": f"<{written}>"}) == (high("us_ssn", "/text", 1, 1 + len(written)),)


def test_what_has_unseen_characters_strewn_in_is_found_whole() -> None:
    assert look({"text": "\u200b".join(SSN)}) == (high("us_ssn", "/text"),)


@given(
    st.dictionaries(
        st.text(max_size=6),
        st.recursive(
            st.text() | st.integers() | st.booleans() | st.none() | st.decimals(allow_nan=False, allow_infinity=False),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
        ),
        max_size=4,
    ),
    st.text(),
)
def test_a_number_is_found_in_its_place_whatever_stands_around(around: dict[str, object], before: str) -> None:
    text = f"{before} {SSN} end"
    start = len(before) + 1
    found = look({"a": around, "ours": text, "b": around})
    assert high("us_ssn", "/ours", start, start + len(SSN)) in found
