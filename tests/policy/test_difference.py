"""How two sets of policies differ."""

from doorward.policy.difference import Difference, FileChange, difference, over
from doorward.policy.rules import Source


def rule(name: str, effect: str = "permit") -> str:
    return f'@id("{name}") @reason("So it is.")\n{effect} (principal, action, resource);\n'


ONE = Source("/p/one.cedar", rule("a") + rule("b"))
TWO = Source("/p/two.cedar", rule("c"))
TEAMS = Source("/p/t.cedar", rule("t"), "finance")


def test_the_same_files_do_not_differ_whatever_their_order() -> None:
    assert difference((ONE, TWO), (TWO, ONE)) == Difference((), (), (), ())


def test_policies_are_told_by_id_and_files_by_their_text() -> None:
    after = Source(ONE.path, rule("a", "forbid") + rule("d"))
    found = difference((ONE, TWO), (after, TWO))
    assert (found.added, found.removed, found.changed) == (("d",), ("b",), ("a",))
    (changed,) = found.files
    assert (changed.path, changed.team) == ("/p/one.cedar", "")
    assert changed.text.splitlines()[:2] == ["--- /p/one.cedar", "+++ /p/one.cedar"]
    assert sorted(line for line in changed.text.splitlines()[2:] if line[0] in "+-") == [
        '+@id("d") @reason("So it is.")',
        "+forbid (principal, action, resource);",
        '-@id("b") @reason("So it is.")',
        "-permit (principal, action, resource);",
    ]


def test_a_policy_that_moves_to_another_layer_has_changed() -> None:
    moved = difference((Source("/p/x", rule("a")),), (Source("/p/x", rule("a"), "finance"),))
    assert (moved.added, moved.removed, moved.changed, len(moved.files)) == ((), (), ("a",), 2)


def test_files_that_came_and_went_are_shown_whole() -> None:
    found = difference((ONE,), (TWO,))
    assert [(one.path, one.text.splitlines()[:2]) for one in found.files] == [
        ("/p/one.cedar", ["--- /p/one.cedar", "+++ /dev/null"]),
        ("/p/two.cedar", ["--- /dev/null", "+++ /p/two.cedar"]),
    ]


def test_a_candidate_in_another_place_is_compared_with_the_file_of_its_name() -> None:
    candidate = Source("/home/ann/one.cedar", rule("a"))
    (changed,) = difference((ONE, TWO), (candidate, TWO)).files
    assert changed.text.splitlines()[:2] == ["--- /p/one.cedar", "+++ /home/ann/one.cedar"]
    twice = (Source("/home/ann/one.cedar", rule("a")), Source("/home/bob/one.cedar", rule("b")))
    assert [one.path for one in difference((ONE,), twice).files] == ["/home/ann/one.cedar", "/home/bob/one.cedar", "/p/one.cedar"]


def test_an_empty_file_that_comes_is_told() -> None:
    assert difference((), (Source("/p/e", ""),)).files == (FileChange("/p/e", "", ""),)


def test_what_cannot_be_read_shows_in_the_text() -> None:
    found = difference((TWO,), (Source(TWO.path, TWO.text + "permit (nobody);"),))
    assert (found.added, found.removed, found.changed, len(found.files)) == ((), (), (), 1)


def test_a_candidate_takes_the_place_of_its_layers_alone() -> None:
    new = Source("/p/new.cedar", rule("n"))
    assert over((ONE, TWO, TEAMS), (new,)) == (new, TEAMS)
    assert over((ONE, TEAMS), (Source("/p/t2", "", "finance"),)) == (Source("/p/t2", "", "finance"), ONE)
    assert over((ONE, TEAMS), ()) == (ONE, TEAMS)
