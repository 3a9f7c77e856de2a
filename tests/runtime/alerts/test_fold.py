"""A flood of alerts becomes a few messages, and hides none of another kind."""

from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.alerts import Alert, AlertKind
from doorward.runtime.alerts.fold import FROM_OUTSIDE, HOUR_SECONDS, KEYS, Fold, Folded, Pace, of_count

PACE = Pace(interval_seconds=60, per_hour=10)


def alert(key: str = "claude", kind: AlertKind = AlertKind.MISUSE, sentence: str = "it misbehaves") -> Alert:
    return Alert(kind, sentence, key=key)


def test_the_first_goes_out_at_once_and_those_that_follow_as_one_with_a_count() -> None:
    fold = Fold(PACE)
    assert list(fold.take(alert(), 0)) == [Folded(alert(), 1)]
    for number in range(500):
        assert list(fold.take(alert(sentence=f"again {number}"), 1)) == []
    assert list(fold.due(59)) == []
    assert list(fold.due(60)) == [Folded(alert(sentence="again 499"), 500)]


def test_what_goes_on_is_told_once_an_interval_and_what_has_ended_is_forgotten() -> None:
    fold = Fold(Pace(60, 100))
    list(fold.take(alert(), 0))
    list(fold.take(alert(), 30))
    list(fold.due(60))
    assert list(fold.take(alert(), 61)) == []
    assert list(fold.due(120)) == [Folded(alert(), 1)]
    assert list(fold.due(180)) == []
    assert fold.next_due() is None
    assert list(fold.take(alert(), 181)) == [Folded(alert(), 1)]


def test_kinds_and_keys_are_told_apart() -> None:
    fold = Fold(PACE)
    told = [alert("a"), alert("b"), alert("a", AlertKind.STOP)]
    assert [folded.alert for one in told for folded in fold.take(one, 0)] == told


def test_what_is_due_next_is_the_end_of_the_first_interval() -> None:
    fold = Fold(PACE)
    assert fold.next_due() is None
    list(fold.take(alert("a"), 5))
    list(fold.take(alert("b"), 7))
    assert fold.next_due() == 65


def test_what_comes_from_outside_leaves_half_of_an_hour_to_the_others_and_each_kind_a_part_to_the_next() -> None:
    fold = Fold(PACE)

    def flood(kind: AlertKind, count: int = 100) -> int:
        told = [folded for number in range(count) for folded in fold.take(alert(str(number), kind), 0)]
        assert len(told) == count
        return sum(folded.goes_out for folded in told)

    assert [flood(kind) for kind in (AlertKind.AUTHENTICATION, AlertKind.BREAKER, AlertKind.DRIFT)] == [3, 2, 0]
    assert flood(AlertKind.STOP, 6) == 5


def test_an_hour_later_it_is_told_how_many_stood_in_the_journal_alone() -> None:
    fold = Fold(PACE)
    for number in range(12):
        list(fold.take(alert(str(number), AlertKind.STOP), 0))
    first, second = fold.take(alert("x", AlertKind.STOP), HOUR_SECONDS)
    assert (first.alert.kind, first.alert.fields, first.goes_out) == (AlertKind.LOG, {"kept_back": 2}, True)
    assert second == Folded(alert("x", AlertKind.STOP), 1)


def test_more_sources_than_are_told_apart_are_folded_into_one() -> None:
    fold = Fold(Pace(60, 100_000))
    for number in range(KEYS):
        list(fold.take(alert(str(number)), 0))
    assert len(list(fold.take(alert("one more"), 0))) == 1
    assert list(fold.take(alert("and another"), 0)) == []
    assert [folded.alert.key for folded in fold.due(60)] == ["and another"]


def test_what_waits_is_told_when_nobody_will_ask_later() -> None:
    fold = Fold(PACE)
    list(fold.take(alert(), 0))
    list(fold.take(alert(sentence="again"), 1))
    assert list(fold.rest(2)) == [Folded(alert(sentence="again"), 1)]


def test_another_pace_holds_from_the_next_message_on() -> None:
    fold = Fold(PACE)
    list(fold.take(alert("a"), 0))
    fold.adopt(Pace(5, 10))
    list(fold.take(alert("b"), 0))
    assert fold.next_due() == 5


def test_of_several_the_message_says_so() -> None:
    assert of_count(Folded(alert(), 1)) == alert()
    assert of_count(Folded(alert(), 7)).sentence == "it misbehaves (the latest of 7 like it)"


@given(st.lists(st.tuples(st.sampled_from(tuple(AlertKind)), st.sampled_from("abc"), st.floats(0, 900)), max_size=200))
def test_no_alert_is_lost_and_no_hour_goes_beyond_its_bound(raised: list[tuple[AlertKind, str, float]]) -> None:
    fold, told, now = Fold(PACE), list[tuple[float, Folded]](), 0.0
    for kind, key, later in raised:
        now += later
        told += [(now, folded) for folded in fold.due(now)]
        told += [(now, folded) for folded in fold.take(alert(key, kind), now)]
    told += [(now, folded) for folded in fold.rest(now)]
    ours = [folded for _, folded in told if folded.alert.key != "kept_back"]
    assert sum(folded.count for folded in ours) == len(raised)
    for at, _ in told:
        # Hours follow each other; any hour's worth of time touches two of them.
        sent = [folded for when, folded in told if at <= when < at + HOUR_SECONDS and folded.goes_out]
        assert len(sent) <= 2 * PACE.per_hour
        assert len([one for one in sent if one.alert.kind in FROM_OUTSIDE]) <= PACE.per_hour
