"""Names that may be one person's count as one person's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.approval.persons import Approver, forms, is_owner, is_subject, may, said_by
from doorward.approval.question import Question, Yes
from doorward.domain.decisions import Need
from tests.approval.made import question

ADA = ["ada", "Ada", " ADA ", "corp:ada", "corp:ada@example.com", "ada@example.com", "ada+work@EXAMPLE.com", "CORP\\ada", "corp:auth0|ada"]
ADA += ["a\u200bda", "\uff41da", "ada\u202e", "ada@other.example", "self:corp:ada"]


@pytest.mark.parametrize("one", ADA)
@pytest.mark.parametrize("other", ADA)
def test_every_way_to_write_a_name_is_the_same_person(one: str, other: str) -> None:
    assert not forms(one).isdisjoint(forms(other))


@pytest.mark.parametrize("name", ["bob", "adam", "corp:bob", "bob@ada", "ada-bot", "uid 1000", "corp:bob@example.com", "ada.lovelace"])
def test_another_name_is_another_person(name: str) -> None:
    assert forms(name).isdisjoint(forms("corp:ada"))


@pytest.mark.parametrize("nobody", ["", " ", "\u200b", ":", "@", "corp:"])
def test_no_name_is_nobodys(nobody: str) -> None:
    assert forms(nobody) - {":", "@", "corp:"} == frozenset()
    assert forms(nobody).isdisjoint(forms("ada"))


def test_a_very_long_name_is_compared_as_a_whole() -> None:
    assert forms(":" * 100_000) == {":" * 100_000}
    assert len(forms(":" * 512)) == 512


@given(st.text(max_size=12), st.sampled_from(["", "corp:", "a:b:", "CORP\\"]), st.sampled_from(["", "@example.com", "+tag@example.com"]))
def test_whatever_the_name_more_around_it_makes_nobody_else(name: str, before: str, after: str) -> None:
    if any(not form.startswith("+") for form in forms(name)):
        assert not forms(f"{before}{name}{after}").isdisjoint(forms(name))


PATHS = {
    "the peer of the socket": Approver("alice", frozenset({"finance"})),
    "a browser's session": Approver("corp:alice", frozenset({"finance"}), frozenset({"Alice A."})),
    "a command's session": Approver("corp:00u1x7", frozenset({"finance"}), frozenset({"Alice", "alice@example.com"})),
    "another issuer": Approver("partner:alice", frozenset({"finance"})),
    "an answer of a webhook": Approver("corp:alice", frozenset({"finance"})),
}
"""One person, as each door calls it."""


@pytest.mark.parametrize("path", PATHS)
def test_whom_an_agent_acts_for_is_known_whichever_door_they_come_through(path: str) -> None:
    asked = question(subject="corp:alice")
    assert is_subject(asked, PATHS[path])
    assert not may(asked, PATHS[path], Need("finance", owner_may=True))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("owned", [{"owner": "alice"}, {"owner": "corp:Alice"}, {"owners": ("bob", "alice@example.com")}])
def test_owners_of_the_agent_and_of_its_chain_are_known_at_every_door(path: str, owned: dict[str, object]) -> None:
    asked = question(**owned)
    assert is_owner(asked, PATHS[path])
    assert not may(asked, PATHS[path], Need("finance"))
    assert may(asked, PATHS[path], Need("finance", owner_may=True))


def test_others_may_for_the_teams_they_speak_for_alone() -> None:
    bob = Approver("bob", frozenset({"finance"}))
    assert [may(question(subject="corp:alice"), bob, Need(team)) for team in ("finance", "ops")] == [True, False]


def test_nobody_is_whom_an_agent_acts_for_that_acts_for_nobody() -> None:
    asked: Question = question(subject="", owner="")
    assert not is_subject(asked, Approver("", frozenset()))
    assert not is_owner(asked, Approver("bob", frozenset()))


def test_a_person_has_said_yes_by_whatever_name() -> None:
    yes = Yes("corp:00u1x7", frozenset({"finance"}), 0.0, frozenset({"alice@example.com"}))
    assert said_by(yes, Approver("alice", frozenset()))
    assert said_by(yes, Approver("bob", frozenset(), frozenset({"00U1X7"})))
    assert not said_by(yes, Approver("bob", frozenset()))
