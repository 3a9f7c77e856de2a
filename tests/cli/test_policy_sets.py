"""Policies over time from the command line: history, differences, rollbacks, replays, and old decisions explained."""

from pathlib import Path

from tests.cli.operating import Operating, operating
from tests.control.decided import decided
from tests.control.plane import ME, POLICY
from tests.control.test_policy_sets import CLOSED, OPEN, then
from tests.control.test_replays import STRICT, ready


def loaded(at: Operating, policy: str) -> str:
    return at.do(then(at.it, policy))


def test_history_shows_the_sets_and_which_one_is_in_force(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        one = at.it.generations.current.policies.digest
        two = loaded(at, OPEN)
        assert [line.split() for line in at.said("policy", "history").splitlines()] == [
            ["NUMBER", "DIGEST", "SINCE", "BY", "FOR", "POLICIES", "GENERATION"],
            ["2", two[:12], "*", "2026-11-18", "12:00", ME, "reload", "3", "2"],
            ["1", one[:12], "2026-11-18", "12:00", "doorward", "start", "3", "1"],
        ]
        assert at.told("policy", "history", "--limit", "1").stderr == "there are more: --before 2\n"
        assert [entry["digest"] for entry in at.asked("policy", "history")["entries"]] == [two, one]


def test_sets_and_files_are_compared(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        one = at.it.generations.current.policies.digest
        loaded(at, OPEN)
        shown = at.said("policy", "diff").splitlines()
        assert shown[0] == f"── {tmp_path / 'policy.cedar'}"
        assert {line for line in shown if line[:5] in ("-@id(", "+@id(")} == {
            '-@id("no-secrets") @reason("Nobody reads secrets.")',
            '+@id("no-drafts") @reason("Nobody reads secrets.")',
        }
        assert shown[-2:] == ["added: no-drafts", "removed: no-secrets"]
        assert at.told("policy", "diff", one[:12], one).stderr == "no difference\n"
        candidate = tmp_path / "tried"
        candidate.mkdir()
        (candidate / "policy.cedar").write_text(POLICY)
        for word in (str(candidate), str(candidate / "*.cedar"), str(candidate / "policy.cedar")):
            assert at.said("policy", "diff", word).splitlines()[-2:] == ["added: no-secrets", "removed: no-drafts"]
        assert "expected one or two digests, or files" in at.told("policy", "diff", one, str(candidate)).output
        assert "no policy file is at" in at.told("policy", "diff", str(tmp_path / "none")).output
        (candidate / "policy.cedar").write_text(CLOSED)
        layered = at.asked("policy", "diff", "--team", f"platform={candidate}")
        assert (layered["added"], layered["removed"], layered["files"][0]["team"]) == (["nothing"], [], "platform")


def test_a_rollback_is_made_shown_and_undone(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        one = at.it.generations.current.policies.digest
        two = loaded(at, CLOSED)
        assert "why? say --reason" in at.told("policy", "rollback", one[:12]).output
        assert "or --undo" in at.told("policy", "rollback", "--reason", "x").output
        done = at.told("policy", "rollback", one[:12], "--reason", "nothing works")
        assert (done.exit_code, done.stdout) == (0, f"policies {one[:12]} are in force since generation 3\n")
        assert done.stderr.startswith(f"! policies are rolled back to {one[:12]}; the files on disk are not in force")
        assert at.told("policy", "history").stderr.startswith("! policies are rolled back")
        assert "rollback: nothing works" in at.said("policy", "history")
        assert at.told("policy", "rollback", one[:12], "--reason", "again").exit_code == 1
        assert at.said("policy", "rollback", "--undo") == f"policies {two[:12]} are in force since generation 4\n"


def test_a_replay_lists_what_would_change_and_ends_with_it_where_asked(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        at.do(ready(at.it))
        call, _ = at.do(decided(at.it, {"path": "a"}))
        at.do(decided(at.it, {"path": "x" * 70_000}))
        strict, same = tmp_path / "strict.cedar", tmp_path / "same.cedar"
        strict.write_text(STRICT)
        same.write_text(POLICY.partition('@id("no-secrets")')[0])
        shown = at.told("policy", "replay", str(strict), "--exit-code")
        lines = [line.split() for line in shown.stdout.splitlines()]
        assert shown.exit_code == 1
        assert lines[1][:9] == ["claude", "git/read_file", "allow", "→", "deny", "1", "reads", "→", "no-ab"]
        assert lines[1][-1] == call
        assert lines[2] == ["NOT", "KNOWN"]
        assert shown.stdout.splitlines()[-1].endswith(": 0 the same, 1 changed, 1 unknown, 0 not decided by policy")
        assert at.told("policy", "replay", str(strict), "--upstream", "time", "--exit-code").exit_code == 0
        assert at.told("policy", "replay", str(strict)).exit_code == 0
        assert at.told("policy", "replay", str(same), "--exit-code").exit_code == 0
        at.do(at.it.log.sweep(int((at.it.clock() + 60) * 1e6)))
        assert at.told("policy", "replay", str(strict), "--exit-code").exit_code == 3
        assert at.asked("policy", "replay", str(strict))["unknown"] == 2
        assert "which policies?" in at.told("policy", "replay").output
        broken = tmp_path / "broken.cedar"
        broken.write_text("permit (")
        assert "broken.cedar:1:" in at.told("policy", "replay", str(broken)).output


def test_a_past_call_is_explained(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        at.do(ready(at.it))
        call, _ = at.do(decided(at.it, {"path": "secret/x"}))
        digest = at.it.generations.current.policies.digest
        loaded(at, POLICY.replace("secret*", "hidden*"))
        shown = at.said("policy", "explain", "--receipt", call)
        assert shown.splitlines()[:5] == [
            "recorded at 2026-11-18T12:00:00Z of claude: DENY by no-secrets",
            "  refused: forbidden",
            f"  policies {digest[:12]}, generation 3",
            "  today: otherwise: ALLOW by reads",
            "BY THE POLICIES OF THAT TIME",
        ]
        assert "DENY (it would not pass" in shown
        at.do(at.it.log.sweep(int((at.it.clock() + 60) * 1e6)))
        gone = at.told("policy", "explain", "--receipt", call)
        assert "today: unknown" in gone.stdout
        assert gone.stderr == "! policies read the arguments, which are not kept (any more)\n"
        assert at.asked("policy", "explain", "--receipt", call)["then"] is None
