"""What of a question's needs is met."""

from hypothesis import given
from hypothesis import strategies as st

from doorward.approval import tally
from doorward.approval.question import Yes
from doorward.domain.decisions import Need
from tests.approval.made import question


def yes(by: str, *teams: str) -> Yes:
    return Yes(by, frozenset(teams), 1_000.0)


def test_every_need_is_met_by_so_many_people_each_for_every_team_they_speak_for() -> None:
    asked = question(needs=(Need("finance", 2), Need("ops")), yeses=(yes("bob", "finance", "ops"), yes("carol", "finance")))
    assert [(one.need.team, one.by, one.is_met) for one in tally.progress(asked)] == [
        ("finance", ("bob", "carol"), True),
        ("ops", ("bob",), True),
    ]
    assert tally.is_met(asked)
    assert tally.told(asked) == ""


def test_what_is_missing_is_told_by_team() -> None:
    asked = question(needs=(Need("finance", 3), Need("legal"), Need("ops")), yeses=(yes("bob", "finance", "ops"),))
    assert tally.told(asked) == "2 more of finance, 1 more of legal"
    assert not tally.is_met(asked)


def test_a_record_of_before_there_were_needs_asks_one_of_each_team() -> None:
    asked = question(needs=(), approvers=frozenset({"ops", "finance"}))
    assert tally.needs(asked) == (Need("finance"), Need("ops"))
    assert tally.told(asked) == "1 more of finance, 1 more of ops"


def test_where_nobody_is_asked_nothing_is_met() -> None:
    assert not tally.is_met(question(needs=(), approvers=frozenset()))


_TEAMS = st.sampled_from(["finance", "legal", "ops"])


@given(
    needs=st.dictionaries(_TEAMS, st.integers(1, 3), min_size=1),
    said=st.lists(st.frozensets(_TEAMS, min_size=1), max_size=6),
)
def test_it_is_met_just_where_each_team_has_enough_people(needs: dict[str, int], said: list[frozenset[str]]) -> None:
    yeses = tuple(Yes(f"p{at}", teams, 0.0) for at, teams in enumerate(said))
    asked = question(needs=tuple(Need(team, people) for team, people in sorted(needs.items())), yeses=yeses)
    enough = all(sum(team in teams for teams in said) >= people for team, people in needs.items())
    assert tally.is_met(asked) is enough
    assert (tally.told(asked) == "") is enough
