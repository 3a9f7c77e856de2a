"""What upstreams show and people accept becomes the next generation, or nothing changes."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from doorward.catalog.pins import Approval, HeldBackError, StaleApprovalError
from doorward.catalog.poison.found import Rule
from doorward.domain.catalog import Kind, Standing
from doorward.domain.errors import StoreError, UnrecordedError
from doorward.domain.ids import Digest, UpstreamId
from doorward.runtime.looks import DRIFTS_TOLD
from doorward.runtime.workbench import ReloadError
from doorward.testing.house import PERMIT_ALL
from tests.catalog.shown import Showing, tool
from tests.runtime.bench import FIRST_USE, GIT, HG, made, showing

NAMES_PUSH = """
@id("no-push")
@reason("Nobody pushes.")
forbid (principal, action == Action::"git/push", resource);
@id("all")
@reason("Everything.")
permit (principal, action, resource);
"""
READS_N = """
@id("small")
@reason("Small ones.")
permit (principal, action == Action::"git/push", resource) when { context.input has n && context.input.n < 10 };
"""


@pytest.mark.anyio
async def test_what_is_first_seen_is_accepted_where_that_is_enough_and_waits_where_it_is_not(tmp_path: Path) -> None:
    bench = made(tmp_path, git=FIRST_USE, hg={})
    await bench.workbench.saw(GIT, showing("commit", "push"))
    await bench.workbench.saw(HG, showing("commit"))
    assert (bench.standing("commit"), bench.standing("push"), bench.standing("commit", HG)) == (
        Standing.APPROVED,
        Standing.APPROVED,
        Standing.NEW,
    )
    assert [(pin.name, pin.approved_by, pin.approved_at) for pin in bench.pins.all()] == [
        ("commit", "first-use", "2026-11-18T12:00:00Z"),
        ("push", "first-use", "2026-11-18T12:00:00Z"),
    ]
    assert bench.events() == ["definition_approved"] * 2
    assert bench.generations.current.generation == 3


@pytest.mark.anyio
async def test_what_many_upstreams_show_at_once_makes_a_generation_or_two(tmp_path: Path) -> None:
    names = [UpstreamId(f"many-{number}") for number in range(30)]
    bench = made(tmp_path, PERMIT_ALL, **{str(name): FIRST_USE for name in names})
    await asyncio.gather(*[bench.workbench.saw(name, showing("commit")) for name in names])
    assert {bench.standing("commit", name) for name in names} == {Standing.APPROVED}
    assert bench.generations.current.generation <= 3


@pytest.mark.anyio
async def test_what_one_upstream_shows_is_taken_though_it_cannot_be_kept_of_another(tmp_path: Path) -> None:
    bench = made(tmp_path, git=FIRST_USE, hg=FIRST_USE)
    bench.pins.failures = 1
    done = await asyncio.gather(*[bench.workbench.saw(name, showing("commit")) for name in (GIT, HG)], return_exceptions=True)
    assert [type(one) for one in done] == [StoreError, type(None)]
    assert bench.standing("commit", HG) is Standing.APPROVED


@pytest.mark.anyio
async def test_a_look_that_shows_the_same_makes_no_generation(tmp_path: Path) -> None:
    bench = made(tmp_path, git=FIRST_USE)
    await bench.workbench.saw(GIT, showing("commit", resources=[{"name": "a", "uri": "file:///a"}], capabilities={"tools": {}}))
    before = bench.generations.current
    await bench.workbench.saw(GIT, showing("commit", resources=[{"name": "a", "uri": "file:///a"}], capabilities={"tools": {}}))
    assert bench.generations.current is before
    for other in (
        showing("commit", resources=[{"name": "b", "uri": "file:///a"}], capabilities={"tools": {}}),
        showing("commit", resources=[{"name": "b", "uri": "file:///a"}], capabilities={"tools": {}, "prompts": {}}),
        showing("commit", "", resources=[{"name": "b", "uri": "file:///a"}], capabilities={"tools": {}, "prompts": {}}),
    ):
        await bench.workbench.saw(GIT, other)
        assert bench.generations.current is not before
        before = bench.generations.current


@pytest.mark.anyio
async def test_a_look_at_what_is_not_configured_is_not_taken(tmp_path: Path) -> None:
    bench = made(tmp_path, git=FIRST_USE)
    await bench.workbench.saw(HG, showing("commit"))
    assert (bench.generations.current.generation, list(bench.workbench.offers)) == (1, [])


@pytest.mark.anyio
async def test_what_drifted_is_withheld_and_told_once(tmp_path: Path) -> None:
    bench = made(tmp_path, git=FIRST_USE)
    await bench.workbench.saw(GIT, showing("commit", "push"))
    bench.events()
    changed = Showing(tools=[tool("commit", "Does it and mails it."), tool("push")])
    await bench.workbench.saw(GIT, changed)
    await bench.workbench.saw(GIT, Showing(tools=[*changed.tools, tool("other")]))
    assert (bench.standing("commit"), bench.standing("push")) == (Standing.DRIFTED, Standing.APPROVED)
    assert bench.events() == ["definition_drifted", "definition_approved"]
    # It comes back as it was accepted, and changes again: that is news.
    await bench.workbench.saw(GIT, showing("commit", "push", "other"))
    assert bench.standing("commit") is Standing.APPROVED
    await bench.workbench.saw(GIT, changed)
    assert bench.events() == ["definition_drifted"]
    assert bench.standing("other") is Standing.GONE


@pytest.mark.anyio
async def test_drift_of_a_tolerated_kind_is_accepted_and_told_as_accepted_by_the_rule(tmp_path: Path) -> None:
    bench = made(tmp_path, git={"trust": "review", "drift": {"accept": ["title"]}})
    await bench.workbench.saw(GIT, showing("commit"))
    assert bench.standing("commit") is Standing.NEW
    [definition] = bench.workbench.offers[GIT].definitions.values()
    await bench.workbench.approve((Approval(GIT, Kind.TOOL, "commit", definition.digest),), "ada")
    bench.events()
    await bench.workbench.saw(GIT, Showing(tools=[tool("commit", title="Commit")]))
    assert bench.standing("commit") is Standing.APPROVED
    assert [(event.type, event.by) for event in bench.told[-2:]] == [
        ("definition_drifted", "doorward"),
        ("definition_approved", "drift-rule"),
    ]
    await bench.workbench.saw(GIT, Showing(tools=[tool("commit", "Does it twice.", title="Commit")]))
    assert bench.standing("commit") is Standing.DRIFTED


@pytest.mark.anyio
async def test_of_a_catalogue_that_drifts_whole_the_first_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    bench = made(tmp_path, git=FIRST_USE)
    names = [f"t{number:03d}" for number in range(DRIFTS_TOLD + 5)]
    await bench.workbench.saw(GIT, showing(*names))
    bench.events()
    await bench.workbench.saw(GIT, showing(*names, description="Another."))
    assert [event.fields.get("more") for event in bench.told][-1] == 5
    assert bench.events() == ["definition_drifted"] * DRIFTS_TOLD + ["definitions_drifted"]


@pytest.mark.anyio
async def test_what_passes_for_something_else_waits_for_a_person(tmp_path: Path) -> None:
    bench = made(tmp_path, git=FIRST_USE, hg=FIRST_USE)
    await bench.workbench.saw(GIT, showing("create_issue"))
    await bench.workbench.saw(HG, showing("creаte_issue", "search"))
    assert (bench.standing("search", HG), bench.standing("creаte_issue", HG)) == (Standing.APPROVED, Standing.NEW)
    assert {suspicion.found.rule for suspicion in bench.workbench.suspicions} == {Rule.DISGUISED_TEXT, Rule.LOOKALIKE}
    wanted = bench.shown("creаte_issue", HG)
    with pytest.raises(HeldBackError):
        await bench.workbench.approve((wanted,), "ann")
    assert bench.standing("creаte_issue", HG) == Standing.NEW
    await bench.workbench.approve((replace(wanted, despite=frozenset({"lookalike"})),), "ann")
    assert bench.standing("creаte_issue", HG) is Standing.APPROVED


@pytest.mark.anyio
async def test_a_yes_to_what_was_shown_accepts_exactly_that(tmp_path: Path) -> None:
    bench = made(tmp_path, git={})
    await bench.workbench.saw(GIT, showing("commit", "push"))
    generation = await bench.workbench.approve((bench.shown("commit"),), "ann")
    assert generation == bench.generations.current.generation == 3
    assert (bench.standing("commit"), bench.standing("push")) == (Standing.APPROVED, Standing.NEW)
    (event,) = bench.told
    assert (event.type, event.by, event.fields["name"]) == ("definition_approved", "ann", "commit")
    assert bench.workbench.pins.get(GIT, Kind.TOOL, "commit") == bench.pins.all()[0]
    assert bench.again().workbench.pins.get(GIT, Kind.TOOL, "commit") is not None


@pytest.mark.anyio
async def test_a_yes_to_something_else_accepts_nothing(tmp_path: Path) -> None:
    bench = made(tmp_path, git={})
    await bench.workbench.saw(GIT, showing("commit", "push"))
    shown = bench.shown("commit")
    await bench.workbench.saw(GIT, Showing(tools=[tool("commit", "Does it and mails it."), tool("push")]))
    before = bench.generations.current
    with pytest.raises(StaleApprovalError, match="git/'commit'"):
        await bench.workbench.approve((bench.shown("push"), shown), "ann")
    with pytest.raises(StaleApprovalError):
        await bench.workbench.approve((Approval(UpstreamId("none"), Kind.TOOL, "commit", Digest("0")),), "ann")
    assert (bench.pins.all(), bench.generations.current) == ((), before)


@pytest.mark.anyio
async def test_a_yes_that_breaks_a_policy_is_refused_until_the_policy_is_mended(tmp_path: Path) -> None:
    bench = made(tmp_path, READS_N, git={})
    numbered = {**tool("push"), "inputSchema": {"type": "object", "properties": {"n": {"type": "integer"}}}}
    await bench.workbench.saw(GIT, Showing(tools=[numbered]))
    await bench.workbench.approve((bench.shown("push"),), "ann")
    worded = {**tool("push"), "inputSchema": {"type": "object", "properties": {"n": {"type": "string"}}}}
    await bench.workbench.saw(GIT, Showing(tools=[worded]))
    before = bench.generations.current
    with pytest.raises(ReloadError) as caught:
        await bench.workbench.approve((bench.shown("push"),), "ann")
    assert "policy.cedar" in caught.value.problems[0]
    assert (bench.generations.current, bench.standing("push")) == (before, Standing.DRIFTED)
    bench.write({"git": {}}, READS_N.replace("context.input.n < 10", 'context.input.n == "few"').replace("context.input has n && ", ""))
    with pytest.raises(ReloadError):
        await bench.workbench.reload("ann")


@pytest.mark.anyio
async def test_acceptance_that_is_withdrawn_holds_back_at_once_and_after_a_restart(tmp_path: Path) -> None:
    bench = made(tmp_path, git={})
    await bench.workbench.saw(GIT, showing("commit", "push"))
    await bench.workbench.approve((bench.shown("commit"), bench.shown("push")), "ann")
    bench.events()
    await bench.workbench.withdraw(((GIT, Kind.TOOL, "push"),), "bob")
    assert (bench.standing("commit"), bench.standing("push")) == (Standing.APPROVED, Standing.NEW)
    assert [(event.type, event.by) for event in bench.told] == [("definition_withdrawn", "bob")]
    again = bench.again()
    await again.workbench.saw(GIT, showing("commit", "push"))
    assert again.standing("push") is Standing.NEW


@pytest.mark.anyio
async def test_what_a_person_withdrew_is_not_accepted_again_for_being_seen_first(tmp_path: Path) -> None:
    bench = made(tmp_path, git=FIRST_USE)
    await bench.workbench.saw(GIT, showing("commit", "push"))
    await bench.workbench.withdraw(((GIT, Kind.TOOL, "push"),), "bob")
    assert bench.standing("push") is not Standing.APPROVED
    await bench.workbench.saw(GIT, showing("commit", "push", "other"))
    await bench.workbench.reload("ann")
    assert (bench.standing("other"), bench.standing("push")) == (Standing.APPROVED, Standing.NEW)
    again = bench.again()
    await again.workbench.saw(GIT, showing("commit", "push"))
    assert again.standing("push") is Standing.NEW
    # A person's yes is a person's yes.
    await again.workbench.approve((again.shown("push"),), "ann")
    assert again.standing("push") is Standing.APPROVED


@pytest.mark.anyio
async def test_what_a_policy_names_is_not_withdrawn(tmp_path: Path) -> None:
    bench = made(tmp_path, READS_N, git={})
    numbered = {**tool("push"), "inputSchema": {"type": "object", "properties": {"n": {"type": "integer"}}}}
    await bench.workbench.saw(GIT, Showing(tools=[numbered]))
    await bench.workbench.approve((bench.shown("push"),), "ann")
    try:
        await bench.workbench.withdraw(((GIT, Kind.TOOL, "push"),), "bob")
    except ReloadError:
        assert bench.standing("push") is Standing.APPROVED
    else:
        # What is new waits for a person again, so that the name is not yet wrong.
        assert bench.standing("push") is Standing.NEW


@pytest.mark.anyio
async def test_a_name_that_an_upstream_does_not_have_is_a_warning_until_all_of_it_is_accepted(tmp_path: Path) -> None:
    bench = made(tmp_path, NAMES_PUSH, git={})
    assert [warning for warning in bench.workbench.warnings if "push" in warning]
    await bench.workbench.saw(GIT, showing("commit"))
    assert [warning for warning in bench.workbench.warnings if "push" in warning]
    # With this yes nothing of the upstream waits any more, so that the name is certainly wrong.
    with pytest.raises(ReloadError, match="git/push"):
        await bench.workbench.approve((bench.shown("commit"),), "ann")
    assert bench.standing("commit") is Standing.NEW
    bench.write({"git": {}})
    await bench.workbench.reload("ann")
    await bench.workbench.approve((bench.shown("commit"),), "ann")
    assert (bench.standing("commit"), bench.workbench.problems, bench.workbench.warnings) == (Standing.APPROVED, (), ())


@pytest.mark.anyio
async def test_what_does_not_fit_a_policy_is_not_accepted_at_first_use_and_that_is_told(tmp_path: Path) -> None:
    bench = made(tmp_path, NAMES_PUSH, git=FIRST_USE)
    await bench.workbench.saw(GIT, showing("commit"))
    assert bench.standing("commit") is Standing.NEW
    assert [problem for problem in bench.workbench.problems if "git/push" in problem]
    # The upstream mends it by itself.
    await bench.workbench.saw(GIT, showing("commit", "push"))
    assert (bench.standing("commit"), bench.standing("push"), bench.workbench.problems) == (Standing.APPROVED, Standing.APPROVED, ())


@pytest.mark.anyio
@pytest.mark.parametrize("order", [(GIT, HG), (HG, GIT)])
async def test_what_does_not_fit_of_one_upstream_keeps_no_other_out(tmp_path: Path, order: tuple[UpstreamId, ...]) -> None:
    bench = made(tmp_path, NAMES_PUSH, git=FIRST_USE, hg=FIRST_USE)
    for name in order:
        await bench.workbench.saw(name, showing("commit"))
    assert (bench.standing("commit", GIT), bench.standing("commit", HG)) == (Standing.NEW, Standing.APPROVED)
    assert [problem for problem in bench.workbench.problems if "git/push" in problem]


@pytest.mark.anyio
async def test_a_policy_that_fits_after_a_reload_lets_what_waited_be_accepted(tmp_path: Path) -> None:
    bench = made(tmp_path, NAMES_PUSH, git=FIRST_USE)
    await bench.workbench.saw(GIT, showing("commit"))
    bench.write({"git": FIRST_USE})
    await bench.workbench.reload("ann")
    assert (bench.standing("commit"), bench.workbench.problems) == (Standing.APPROVED, ())


@pytest.mark.anyio
async def test_pins_that_cannot_be_kept_or_told_of_change_nothing(tmp_path: Path) -> None:
    bench = made(tmp_path, git=FIRST_USE, hg={})
    bench.pins.fails = True
    with pytest.raises(StoreError):
        await bench.workbench.saw(GIT, showing("commit"))
    bench.pins.fails = False
    bench.log_fails.append("disk full")
    with pytest.raises(UnrecordedError):
        await bench.workbench.saw(GIT, showing("commit"))
    assert (bench.generations.current.generation, bench.pins.all(), bench.handed) == (1, (), [])
    bench.log_fails.clear()
    await bench.workbench.saw(GIT, showing("commit"))
    assert bench.standing("commit") is Standing.APPROVED


@pytest.mark.anyio
async def test_the_rooms_are_handed_each_generation_just_before_it_is_current(tmp_path: Path) -> None:
    bench = made(tmp_path, git=FIRST_USE)
    numbers: list[int] = []
    bench.generations.follow(lambda: numbers.append(bench.generations.current.generation))
    await bench.workbench.saw(GIT, showing("commit"))
    bench.write({"git": FIRST_USE, "hg": {}})
    await bench.workbench.reload("ann")
    assert [(before.generation, after.generation) for before, after in bench.handed] == [(1, 2), (2, 3)]
    assert numbers == [2, 3]
