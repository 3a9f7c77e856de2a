"""A reload is a transaction: all of it is taken, or the old goes on and says why."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from doorward.domain.catalog import Standing
from doorward.domain.errors import UnrecordedError
from doorward.runtime.workbench import ReloadError, read
from doorward.testing.house import PERMIT_ALL
from tests.runtime.bench import FIRST_USE, GIT, Bench, made, showing, start, write

MISTYPED = PERMIT_ALL + '@id("typo")\n@reason("x")\nforbid (principal, action == Action::"git/comit", resource);\n'


@pytest.mark.anyio
async def test_a_good_reload_is_told_and_in_force(tmp_path: Path) -> None:
    bench = made(tmp_path, git=FIRST_USE)
    await bench.workbench.saw(GIT, showing("commit"))
    bench.events()
    bench.write({"git": FIRST_USE, "hg": {}}, admission={"concurrent": 3})
    before = bench.generations.current
    done = await bench.workbench.reload("ann")
    current = bench.generations.current
    assert (done.generation, current.generation) == (before.generation + 1, before.generation + 1)
    assert (current.document.admission.concurrent, list(current.document.upstreams)) == (3, ["git", "hg"])
    # What upstreams showed and people accepted is still so.
    assert bench.standing("commit") is Standing.APPROVED
    (event,) = bench.told
    assert (event.type, event.by, event.fields["generation"], event.fields["config"]) == (
        "config_loaded",
        "ann",
        done.generation,
        current.document_digest,
    )
    assert [change for change in done.changes if "hg" in change]
    assert event.fields["changes"] == "; ".join(done.changes)


@pytest.mark.anyio
async def test_a_reload_says_first_what_protects_less_than_before(tmp_path: Path) -> None:
    bench = made(tmp_path, git={})
    bench.write({"git": {"posture": "observe"}}, admission={"concurrent": 3})
    done = await bench.workbench.reload("ann")
    assert done.changes == (
        "weaker: upstreams.git.posture: what policy denies passes",
        "upstreams.git.posture: enforce → observe",
        "admission.concurrent: 32 → 3",
    )
    assert str(bench.told[-1].fields["changes"]).startswith("weaker: upstreams.git.posture")


@pytest.mark.anyio
async def test_a_list_of_another_file_is_read_again_and_told_by_its_size_alone(tmp_path: Path) -> None:
    listed = {"of": "/number", "kind": "member", "file": "accounts.txt"}
    (tmp_path / "accounts.txt").write_text("DE-1\nDE-2\n")
    bench = made(tmp_path, git={**FIRST_USE, "tools": {"commit": {"facts": {"ours": listed}}}})
    before = bench.generations.current
    assert (await bench.workbench.reload("ann")).generation == before.generation
    (tmp_path / "accounts.txt").write_text("DE-3\n")
    done = await bench.workbench.reload("ann")
    after = bench.generations.current
    assert (done.generation, done.changes) == (
        before.generation + 1,
        ("upstreams.git.tools.commit.facts.ours.values: 2 values → 1 values",),
    )
    assert after.policies.digest != before.policies.digest


BAD: list[tuple[str, Mapping[str, str], str]] = [
    ("no YAML", {"doorward.yaml": "{"}, "doorward.yaml"),
    ("an unknown field", {"doorward.yaml": '{"upstream": {}}'}, "upstreams"),
    ("a policy that does not parse", {"policy.cedar": "permit (principal"}, "policy.cedar"),
    ("a policy without an id", {"policy.cedar": "permit (principal, action, resource);"}, "policy.cedar"),
    ("a policy that is not UTF-8", {"policy.cedar": "\udcff"}, "cannot be read"),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("files", "why"), [pytest.param(files, why, id=name) for name, files, why in BAD])
async def test_a_bad_reload_keeps_the_old_and_says_why(tmp_path: Path, files: Mapping[str, str], why: str) -> None:
    bench = made(tmp_path, git=FIRST_USE)
    await bench.workbench.saw(GIT, showing("commit"))
    bench.events()
    before = bench.generations.current
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ReloadError) as caught:
        await bench.workbench.reload("ann")
    assert [problem for problem in caught.value.problems if why in problem]
    assert bench.workbench.problems == caught.value.problems
    assert bench.generations.current is before
    (event,) = bench.told
    assert (event.type, event.by, event.fields["problems"]) == ("config_rejected", "ann", len(caught.value.problems))
    # Mended, it is taken, and nothing is wrong any more.
    bench.write({"git": FIRST_USE})
    await bench.workbench.reload("ann")
    assert bench.workbench.problems == ()


@pytest.mark.anyio
async def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    write(tmp_path, {"git": {"url": "ftp://x"}, "hg": {"era": "old"}}, colour="red")
    with pytest.raises(ReloadError) as caught:
        read(tmp_path / "doorward.yaml")
    assert len(caught.value.problems) >= 3


@pytest.mark.anyio
async def test_a_policy_for_what_a_settled_upstream_does_not_have_is_refused_and_for_others_warned_of(tmp_path: Path) -> None:
    bench = made(tmp_path, git=FIRST_USE, hg={})
    await bench.workbench.saw(GIT, showing("commit"))
    bench.write({"git": FIRST_USE, "hg": {}}, MISTYPED)
    with pytest.raises(ReloadError, match=r"git/comit.*did you mean"):
        await bench.workbench.reload("ann")
    bench.write({"git": FIRST_USE, "hg": {}}, MISTYPED.replace("git/comit", "hg/comit"))
    done = await bench.workbench.reload("ann")
    assert [warning for warning in done.warnings if "hg/comit" in warning]


@pytest.mark.anyio
async def test_a_start_takes_such_a_policy_with_a_warning(tmp_path: Path) -> None:
    bench = made(tmp_path, MISTYPED, git=FIRST_USE)
    assert [warning for warning in bench.workbench.warnings if "git/comit" in warning]


@pytest.mark.anyio
async def test_a_start_with_policies_that_do_not_hold_is_none(tmp_path: Path) -> None:
    path = write(tmp_path, {"git": {}}, "permit (principal, action, resource);")
    with pytest.raises(ReloadError, match="@id"):
        start(path)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"listen": {"port": 1}}, "listen"),
        ({"state": "other"}, "state"),
        ({"audit": {"origin": "other.example/log"}}, "audit.origin"),
        ({"listen": {"port": 1}, "state": "other"}, "listen, state"),
    ],
)
async def test_what_takes_a_restart_is_refused_whole(tmp_path: Path, changed: Mapping[str, object], named: str) -> None:
    bench = made(tmp_path, git={})
    bench.write({"git": {}, "hg": {}}, PERMIT_ALL, **changed)
    with pytest.raises(ReloadError, match=f"a restart is needed to change {named}"):
        await bench.workbench.reload("ann")
    assert list(bench.generations.current.document.upstreams) == ["git"]


async def offered(bench: Bench) -> list[str]:
    """What git is known to offer."""
    return [entry.target.name for entry in bench.generations.current.index.everything() if entry.standing is Standing.APPROVED]


@pytest.mark.anyio
async def test_nothing_is_known_of_another_server_that_took_a_name(tmp_path: Path) -> None:
    bench = made(tmp_path, git=FIRST_USE)
    await bench.workbench.saw(GIT, showing("commit"))
    bench.write({"git": {**FIRST_USE, "result_bytes": 4096}})
    await bench.workbench.reload("ann")
    assert await offered(bench) == ["commit"]
    bench.write({"git": {**FIRST_USE, "url": "https://other.example.com/mcp"}})
    await bench.workbench.reload("ann")
    assert (await offered(bench), list(bench.workbench.offers)) == ([], [])
    bench.write({})
    await bench.workbench.reload("ann")
    assert list(bench.generations.current.index.everything()) == []


@pytest.mark.anyio
async def test_a_reload_that_cannot_be_told_of_is_not_taken(tmp_path: Path) -> None:
    bench = made(tmp_path, git={})
    bench.log_fails.append("disk full")
    bench.write({"git": {}, "hg": {}})
    with pytest.raises(UnrecordedError):
        await bench.workbench.reload("ann")
    assert (bench.generations.current.generation, bench.handed) == (1, [])


@pytest.mark.anyio
async def test_what_is_worth_a_look_is_told_as_long_as_it_is_in_force(tmp_path: Path) -> None:
    bench = made(tmp_path, git=FIRST_USE)
    await bench.workbench.saw(GIT, showing("commit"))
    bench.write({"git": {**FIRST_USE, "posture": "observe", "tools": {"comit": {"groups": ["read"]}}}})
    await bench.workbench.reload("ann")
    assert bench.generations.current.is_observed(GIT)
    assert [warning for warning in bench.workbench.warnings if "only recorded" in warning]
    assert [warning for warning in bench.workbench.warnings if warning.startswith("upstreams.git.tools.comit: ") and "commit" in warning]
    bench.write({"git": FIRST_USE})
    await bench.workbench.reload("ann")
    assert bench.workbench.warnings == ()
