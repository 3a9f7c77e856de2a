"""`doorward approval`: what an approver sees, and what becomes of each answer."""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from doorward.control.operators import Operator, Role
from doorward.domain.actors import Subject
from doorward.domain.decisions import Ask, Need
from doorward.domain.ids import Digest, PolicyId, SubjectId
from doorward.domain.reasons import Refused
from tests import made
from tests.cli.operating import Operating, operating
from tests.control.plane import ME, OWN

ASK = Ask((PolicyId("ask-late"),), (Need("finance", 2), Need("ops", owner_may=True)), "Late pay\u200bments.", Digest("b" * 64))
PAY: Mapping[str, object] = {"amount": Decimal("10.50"), "to": "ev\u202ee"}


def waiting(at: Operating, arguments: Mapping[str, object] = PAY, ask: Ask = ASK) -> str:
    async def clear() -> str:
        by = replace(made.principal(), subject=Subject(SubjectId("corp:alice"), frozenset()))
        try:
            await at.it.desk.clear(made.call(arguments, by=by), ask, (("host", "ex\u0430mple.com"),))
        except Refused as refused:
            return str(refused.extra["approval"])
        raise AssertionError("a question was expected")

    return at.do(clear())


def as_of(at: Operating, name: str, *teams: str) -> None:
    """Whoever asks from now on is this approver."""
    at.it.operators[OWN] = Operator(name, Role.APPROVER, frozenset(teams))


def test_an_approver_sees_everything_and_nothing_acts_on_the_screen(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        reference = waiting(at)
        as_of(at, "bob", "finance")
        at.said("approval", "approve", reference, typed="y\n")
        at.it.operators.clear()
        shown = at.said("approval", "show", reference)
        assert shown.splitlines()[:10] == [
            f"approval    {reference} (pending, until 2026-11-19 12:00 UTC)",
            "call        tool git/commit",
            "risk        irreversible. It cannot be undone, as far as anybody has said.",
            "agent       claude, owned by ada",
            "acts for    corp:alice, who may not answer",
            "asked by    ask-late: Late pay⟨U+200B⟩ments.",
            "needs       1 of 2 of finance: bob",
            "needs       0 of 1 of ops (the agent's owner may be one)",
            "fact        host: ex\u0430mple.com",
            "asked at    2026-11-18 12:00 UTC",
        ]
        assert '    to: "ev⟨U+202E⟩e"' in shown.splitlines()
        assert "    amount: 10.5" in shown.splitlines()
        assert not {"\u200b", "\u202e"} & set(shown)
        rows = at.said("approval", "list").splitlines()
        assert "1 of 2 of finance: bob; 0 of 1 of ops" in rows[1]


def test_the_last_of_several_people_approves(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        reference = waiting(at)
        as_of(at, "bob", "finance")
        first = at.said("approval", "approve", reference, typed="y\n")
        assert first.splitlines()[-1].endswith(f"your yes to {reference} counts; still needed: 1 more of finance, 1 more of ops")
        assert "has said yes already" in at.told("approval", "approve", reference, typed="y\n").stderr
        as_of(at, "carol", "finance", "ops")
        assert f"{reference} is approved" in at.said("approval", "approve", reference, typed="y\n")


def test_whom_the_agent_acts_for_is_told_so(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        reference = waiting(at)
        as_of(at, "alice", "finance")
        result = at.told("approval", "approve", reference, typed="y\n")
        assert (result.exit_code, "whom the agent acts for" in result.stderr) == (1, True)


def test_an_edit_is_shown_before_it_is_asked_for_and_afterwards_to_everybody(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        reference = waiting(at)
        as_of(at, "bob", "finance")
        words = ("approval", "approve", reference, "--set", "/amount=9.90", "--set", "/why=typo", "--unset", "/to")
        left = at.told(*words, typed="n\n")
        assert left.exit_code == 1
        assert at.asked("approval", "list")["approvals"][0]["is_edited"] is False
        said = at.said(*words, typed="y\n").splitlines()
        begun = next(index for index, line in enumerate(said) if line.startswith("your edit"))
        assert said[begun + 1 : begun + 7] == ["  /amount", "    -10.5", "    +9.9", "  /to", "    -ev⟨U+202E⟩e", "  /why"]
        at.it.operators[OWN] = Operator("dan", Role.AUDITOR)
        shown = at.said("approval", "show", reference)
        assert 'edited: a yes lets these arguments through instead\n  amount: 9.9\n  why: "typo"\n' in shown
        assert at.asked("approval", "list")["approvals"][0]["needs"][0]["by"] == ["bob"]


def test_an_edit_comes_whole_from_a_file(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        one = replace(ASK, needs=(Need("ops"),))
        reference = waiting(at, {"amount": 1}, one)
        (tmp_path / "edited.json").write_text('{"amount": 12345678901234567890.10}')
        at.said("approval", "approve", reference, "--edit", str(tmp_path / "edited.json"), typed="y\n")
        assert json.loads(at.said("approval", "show", reference, "--json"))["edit"]["arguments"] == '{"amount":12345678901234567890.1}'
        again = waiting(at, {"amount": 2}, one)
        assert at.told("approval", "approve", again, "--edit", "-", typed='{"amount": 3}').exit_code == 2
        digest = at.asked("approval", "show", again)["digest"]
        assert "approved" in at.said("approval", "approve", again, "--edit", "-", "--digest", digest, typed='{"amount": 3}')


def test_an_edit_that_policy_would_refuse_is_told_with_every_problem(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        reference = waiting(at)
        at.it.unfit = ("/amount: at least 1", "denied by no-gifts")
        result = at.told("approval", "approve", reference, "--set", "/amount=0", typed="y\n")
        assert (result.exit_code, "/amount: at least 1" in result.stderr, "no-gifts" in result.stderr) == (1, True, True)


def test_what_was_edited_meanwhile_is_not_approved(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        reference = waiting(at)
        before = at.asked("approval", "show", reference)["digest"]
        as_of(at, "bob", "finance")
        at.said("approval", "approve", reference, "--set", "/amount=9", typed="y\n")
        as_of(at, "carol", "finance", "ops")
        result = at.told("approval", "approve", reference, "--digest", before)
        assert (result.exit_code, "not" in result.stderr) == (1, True)
        assert at.it.desk.questions()[0].yeses[0].by == "bob"


def test_nobody_is_named_who_has_not_answered(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        reference = waiting(at, {"amount": 1}, replace(ASK, needs=(Need("ops"),)))
        at.said("approval", "reject", reference, typed="y\n")
        assert at.asked("approval", "show", reference)["approval"]["decided_by"] == ME
        assert at.asked("approval", "list") == {"approvals": []}
