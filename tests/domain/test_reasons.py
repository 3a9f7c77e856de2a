"""One table of refusals: every reason has a row, and every row is safe to show."""

import pytest

from doorward.domain.reasons import TABLE, Ran, Reason, Refused, Shape

SPECIFIED = {-32700, -32600, -32601, -32602, -32603, -32020, -32021, -32022}
"""Codes of JSON-RPC 2.0 and of MCP 2026-07-28, used with their meaning."""


def test_every_reason_has_a_row() -> None:
    assert set(TABLE) == set(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_codes_of_our_own_lie_outside_of_what_is_reserved(reason: Reason) -> None:
    row = TABLE[reason]
    assert row.code > 0 or row.code in SPECIFIED


@pytest.mark.parametrize("reason", Reason)
def test_sentences_are_sentences(reason: Reason) -> None:
    sentence = TABLE[reason].sentence
    assert (sentence[0].isupper(), sentence[-1], sentence.isprintable()) == (True, ".", True)


def test_what_hides_something_looks_like_what_is_not_there() -> None:
    assert TABLE[Reason.DRIFTED] == TABLE[Reason.UNKNOWN_TARGET]
    assert TABLE[Reason.REVOKED] == TABLE[Reason.UNAUTHENTICATED]


def test_what_a_model_can_react_to_is_a_tool_result() -> None:
    shown = {reason for reason, row in TABLE.items() if row.shape is Shape.TOOL_RESULT}
    assert {Reason.FORBIDDEN, Reason.PENDING, Reason.UNSAFE_REQUEST, Reason.STOPPED} <= shown
    assert not {Reason.UNKNOWN_TARGET, Reason.UNAUTHENTICATED, Reason.INTERNAL} & shown


def test_a_refusal_shows_its_own_sentence_or_the_tables_and_never_its_detail() -> None:
    plain, said = Refused(Reason.FORBIDDEN, "rule 7"), Refused(Reason.FORBIDDEN, "rule 7", sentence="Ask Ann.")
    assert (plain.public, said.public) == (TABLE[Reason.FORBIDDEN].sentence, "Ask Ann.")
    assert (plain.ran, plain.extra, plain.policies, plain.reference) == (Ran.NO, {}, (), "")
