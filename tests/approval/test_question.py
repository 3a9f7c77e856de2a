"""The state table."""

from doorward.approval.question import MOVES, State


def test_every_state_has_its_moves_and_an_end_is_an_end() -> None:
    assert set(MOVES) == set(State)
    assert {state for state, moves in MOVES.items() if not moves} == {State.REJECTED, State.EXPIRED}


def test_nothing_leads_back_to_pending_and_only_a_yes_is_used() -> None:
    assert all(State.PENDING not in moves for state, moves in MOVES.items() if state is not State.PENDING)
    assert {state for state, moves in MOVES.items() if State.USED in moves} == {State.APPROVED}
    assert {state for state, moves in MOVES.items() if State.APPROVED in moves} == {State.PENDING, State.USED}
