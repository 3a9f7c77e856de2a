"""Which set of policies is in force: kept with each change, taken back by a rollback, and given up when the files change."""

from pathlib import Path

import pytest

from doorward.domain.errors import StoreError, UnrecordedError
from doorward.domain.ids import Digest
from doorward.policy.history import NONE, Why
from doorward.runtime.sets import Cause
from doorward.runtime.workbench import ReloadError
from doorward.testing.house import PERMIT_ALL
from tests.catalog.shown import Showing, tool
from tests.runtime.bench import FIRST_USE, GIT, Bench, made, showing

pytestmark = pytest.mark.anyio

ONE = PERMIT_ALL
TWO = '@id("none") @reason("Nothing is permitted.") forbid (principal, action, resource);\n' + PERMIT_ALL
THREE = '@id("little") @reason("Little is.") permit (principal, action in Action::"read", resource);\n'
BROKEN = '@id("none") forbid (principal, action, resource);'
BACK = Cause(Why.ROLLBACK, "ada", "it was too strict")


async def begun(directory: Path, policies: str = ONE) -> Bench:
    bench = made(directory, policies, git=FIRST_USE)
    await bench.workbench.begin()
    return bench


async def then(bench: Bench, policies: str, **more: object) -> Digest:
    """The digest of the set once these files are loaded."""
    bench.write({"git": FIRST_USE}, policies, **more)
    await bench.workbench.reload("ann")
    return in_force(bench)


def in_force(bench: Bench) -> Digest:
    return bench.generations.current.policies.digest


def rules(bench: Bench) -> set[str]:
    return {rule.id for rule in bench.generations.current.policies.rules}


async def entries(bench: Bench) -> list[tuple[str, str, str, int]]:
    """Digest, cause, author and number of rules of what is kept, oldest first."""
    return [(one.digest, one.why.value, one.by, one.policies) for one in reversed(await bench.sets.entries(None, 99))]


def warned(bench: Bench) -> list[str]:
    return [one for one in bench.workbench.warnings if "rolled back" in one]


async def test_every_set_that_comes_into_force_is_kept_once_with_its_texts(tmp_path: Path) -> None:
    bench = await begun(tmp_path)
    one = in_force(bench)
    two = await then(bench, TWO)
    await then(bench, TWO, admission={"burst": 7})
    again = bench.again()
    await again.workbench.begin()
    assert await entries(bench) == [(one, "start", "doorward", 1), (two, "reload", "ann", 2)]
    kept = await bench.sets.sources(one)
    assert kept is not None
    assert [(Path(source.path).name, source.text) for source in kept] == [("policy.cedar", ONE)]
    assert [entry.generation for entry in await bench.sets.entries(None, 9)] == [2, 1]


async def test_a_set_that_is_rolled_back_to_decides_at_once_and_is_told_before(tmp_path: Path) -> None:
    bench = await begun(tmp_path)
    one = in_force(bench)
    two = await then(bench, TWO)
    bench.events()
    done = await bench.workbench.roll_back(one, BACK)
    assert (in_force(bench), bench.generations.current.generation, done.generation) == (one, 3, 3)
    assert [(event.type, event.by, event.fields) for event in bench.told] == [
        ("policies_rolled_back", "ada", {"generation": 3, "policies": one, "before": two, "reason": "it was too strict"})
    ]
    assert (await entries(bench))[-1] == (one, "rollback", "ada", 1)
    assert (await bench.sets.entries(None, 1))[0].reason == "it was too strict"
    assert warned(bench) == list(done.warnings[:1]) != []


async def test_it_survives_restarts_and_reloads_of_everything_else(tmp_path: Path) -> None:
    bench = await begun(tmp_path)
    one = in_force(bench)
    await then(bench, TWO)
    await bench.workbench.roll_back(one, BACK)
    assert await then(bench, TWO, admission={"burst": 7}) == one
    assert bench.generations.current.document.admission.burst == 7
    await bench.workbench.saw(GIT, showing("commit"))
    assert in_force(bench) == one
    again = bench.again()
    await again.workbench.begin()
    assert in_force(again) == one
    assert warned(again) != []
    assert len(await entries(again)) == 3
    assert await then(again, TWO, admission={"burst": 8}) == one


async def test_it_ends_when_the_files_change_whether_while_it_runs_or_not(tmp_path: Path) -> None:
    bench = await begun(tmp_path)
    one = in_force(bench)
    await then(bench, TWO)
    await bench.workbench.roll_back(one, BACK)
    three = await then(bench, THREE)
    assert (rules(bench), warned(bench)) == ({"little"}, [])
    assert (await entries(bench))[-1] == (three, "reload", "ann", 1)
    # And they do not come back when the files say again what they said then.
    two = await then(bench, TWO)
    assert (rules(bench), two in {digest for digest, *_ in await entries(bench)}) == ({"none", "all"}, True)
    await bench.workbench.roll_back(one, BACK)
    bench.write({"git": FIRST_USE}, THREE)
    again = bench.again()
    await again.workbench.begin()
    assert (in_force(again), warned(again)) == (three, [])
    assert (await entries(again))[-1] == (three, "start", "doorward", 1)


async def test_files_that_come_to_say_what_was_rolled_back_to_are_in_force_themselves(tmp_path: Path) -> None:
    bench = await begun(tmp_path)
    one = in_force(bench)
    await then(bench, TWO)
    await bench.workbench.roll_back(one, BACK)
    before = bench.generations.current
    bench.write({"git": FIRST_USE}, ONE)
    (tmp_path / "doorward.yaml").write_text((tmp_path / "doorward.yaml").read_text())
    await bench.workbench.reload("ann")
    assert (bench.generations.current, warned(bench)) == (before, [])
    assert (await bench.sets.entries(None, 1))[0].instead_of == NONE


async def test_a_rollback_is_undone(tmp_path: Path) -> None:
    bench = await begun(tmp_path)
    one = in_force(bench)
    two = await then(bench, TWO)
    with pytest.raises(ReloadError, match="no rollback is in force"):
        await bench.workbench.undo_rollback("eve")
    await bench.workbench.roll_back(one, BACK)
    bench.events()
    await bench.workbench.undo_rollback("eve")
    assert (in_force(bench), bench.events(), warned(bench)) == (two, ["policies_rollback_undone"], [])
    assert (await entries(bench))[-1] == (two, "undo", "eve", 2)


async def test_a_rollback_to_what_the_files_say_leaves_them_in_force(tmp_path: Path) -> None:
    bench = await begun(tmp_path)
    one = in_force(bench)
    two = await then(bench, TWO)
    await bench.workbench.roll_back(one, BACK)
    await bench.workbench.roll_back(two, BACK)
    assert (in_force(bench), warned(bench)) == (two, [])
    assert rules(bench.again()) == {"none", "all"}


async def test_files_that_were_not_taken_stay_out_after_a_rollback_and_a_restart(tmp_path: Path) -> None:
    bench = await begun(tmp_path)
    one = in_force(bench)
    await then(bench, TWO)
    with pytest.raises(ReloadError):
        await then(bench, BROKEN)
    await bench.workbench.roll_back(one, BACK)
    assert bench.workbench.problems != ()
    assert in_force(bench.again()) == one


async def test_what_is_not_kept_in_force_already_or_does_not_fit_is_not_rolled_back_to(tmp_path: Path) -> None:
    numbered = {**tool("push"), "inputSchema": {"type": "object", "properties": {"n": {"type": "integer"}}}}
    reads = (
        '@id("small") @reason("Small ones.")\n'
        'permit (principal, action == Action::"git/push", resource) when { context.input has n && context.input.n < 10 };\n'
    )
    bench = await begun(tmp_path, PERMIT_ALL)
    await bench.workbench.saw(GIT, Showing(tools=[numbered]))
    one = await then(bench, reads)
    two = await then(bench, TWO)
    await bench.workbench.withdraw(tuple((pin.upstream, pin.kind, pin.name) for pin in bench.pins.all()), "ann")
    await bench.workbench.saw(
        GIT, Showing(tools=[{**numbered, "inputSchema": {"type": "object", "properties": {"n": {"type": "string"}}}}])
    )
    await bench.workbench.approve((bench.shown("push"),), "ann")
    bench.events()
    before, kept = bench.generations.current, await entries(bench)
    for digest, why in ((Digest("0" * 64), "no set of policies"), (two, "in force already"), (one, r"policy.cedar:1:1: .*type")):
        with pytest.raises(ReloadError, match=why):
            await bench.workbench.roll_back(digest, BACK)
    assert (bench.generations.current, bench.events(), await entries(bench)) == (before, [], kept)


async def test_what_cannot_be_told_or_kept_does_not_come_into_force(tmp_path: Path) -> None:
    bench = await begun(tmp_path)
    one = in_force(bench)
    two = await then(bench, TWO)
    bench.events()
    bench.sets.fails = True
    for change in (bench.workbench.roll_back(one, BACK), then(bench, THREE)):
        with pytest.raises(StoreError):
            await change
    assert bench.events() == ["policies_rolled_back", "change_failed", "config_loaded", "change_failed"]
    bench.sets.fails = False
    bench.log_fails.append("no space")
    with pytest.raises(UnrecordedError):
        await bench.workbench.roll_back(one, BACK)
    assert (in_force(bench), [digest for digest, *_ in await entries(bench)]) == (two, [one, two])


async def test_a_set_whose_rooms_could_not_go_over_is_not_kept(tmp_path: Path) -> None:
    bench = await begun(tmp_path)
    one = in_force(bench)
    await then(bench, TWO)
    bench.pins.fails = True
    bench.write({"git": {}}, TWO)
    await bench.workbench.reload("ann")
    await bench.workbench.saw(GIT, showing("commit"))
    bench.write({"git": FIRST_USE}, THREE)
    with pytest.raises(StoreError):
        await bench.workbench.reload("ann")
    assert [digest for digest, *_ in await entries(bench)] == [one, in_force(bench)]


async def test_a_start_says_what_to_do_where_what_was_rolled_back_to_does_not_fit(tmp_path: Path) -> None:
    bench = await begun(
        tmp_path, '@id("hg") @reason("All of hg.") permit (principal, action in Action::"git", resource == Upstream::"git");'
    )
    one = in_force(bench)
    await then(bench, TWO)
    await bench.workbench.roll_back(one, BACK)
    bench.write({"hg": FIRST_USE}, TWO)
    with pytest.raises(ReloadError, match="change the files to put those in force"):
        bench.again()
