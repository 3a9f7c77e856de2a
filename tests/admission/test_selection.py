"""What a selection is about, and what it counts apart."""

from dataclasses import replace

import pytest

from doorward.admission.selection import Chosen, method_of, tool_of, user_of
from doorward.config.selection import EVERYTHING, Counted, Selection
from doorward.domain.actors import Subject
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind
from doorward.domain.ids import SubjectId
from tests.made import call, principal, target

CALL = call()
ALICE = call(by=replace(principal(), subject=Subject(SubjectId("corp:alice"), frozenset())))
LIST = call(to=replace(target("*", "*"), parents=frozenset({"read"})), method="tools/list")
READ = call(to=target(name="file:///a", kind=Kind.RESOURCE), method="resources/read")


@pytest.mark.parametrize("asked", [CALL, ALICE, LIST, READ])
def test_what_restricts_nothing_is_about_everything(asked: Call) -> None:
    assert Chosen(EVERYTHING, ()).of(asked) == ()


@pytest.mark.parametrize(
    ("selection", "about", "not_about"),
    [
        (Selection(agents=("claude",)), CALL, call(by=principal("other"))),
        (Selection(teams=("support",)), CALL, None),
        (Selection(teams=("platform",)), None, CALL),
        (Selection(users=("corp:alice",)), ALICE, CALL),
        (Selection(upstreams=("git",)), CALL, call(to=target("files"))),
        (Selection(tools=("git/commit",)), CALL, call(to=target(name="push"))),
        (Selection(tools=("git/commit",)), CALL, call(to=target(name="commit", kind=Kind.PROMPT), method="prompts/get")),
        (Selection(groups=("destructive", "write")), CALL, LIST),
        (Selection(groups=("read",)), LIST, CALL),
        (Selection(methods=("lists",)), LIST, CALL),
        (Selection(methods=("resources/read", "tools/call")), READ, LIST),
        (Selection(agents=("claude",), tools=("git/commit",)), CALL, call(by=principal("other"))),
        (Selection(agents=("claude",), tools=("git/commit",)), CALL, call(to=target(name="push"))),
    ],
)
def test_every_field_that_is_given_has_to_fit(selection: Selection, about: Call | None, not_about: Call | None) -> None:
    chosen = Chosen(selection, ())
    assert about is None or chosen.of(about) == ()
    assert not_about is None or chosen.of(not_about) is None


def test_the_key_has_one_part_for_each_thing_that_is_counted_apart_in_the_order_of_the_document() -> None:
    per: tuple[Counted, ...] = ("user", "tool", "agent", "instance", "team", "upstream", "method")
    assert Chosen(EVERYTHING, per).of(ALICE) == ("corp:alice", "git/commit", "claude", "key:key1", "support", "git", "tools/call")


def test_an_agent_that_acts_for_nobody_counts_as_itself_and_not_with_others() -> None:
    assert [user_of(one) for one in (ALICE, CALL, call(by=principal("other")))] == ["corp:alice", "agent/claude", "agent/other"]


def test_what_is_no_tool_counts_under_its_kind_so_that_names_make_no_counters() -> None:
    other = call(to=target(name="file:///b", kind=Kind.RESOURCE), method="resources/read")
    assert [tool_of(one) for one in (READ, other, LIST)] == ["git:resource", "git:resource", "*:tool"]


def test_all_lists_count_as_one_method() -> None:
    others = [call(method=f"{name}/list") for name in ("prompts", "resources", "resources/templates")]
    assert {method_of(one) for one in (LIST, *others)} == {"lists"}
