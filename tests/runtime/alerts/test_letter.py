"""What leaves of an alert: short, on one line, without our secrets and with nothing hidden in it."""

from doorward.domain.alerts import Alert, AlertKind
from doorward.runtime.alerts.letter import FIELDS, Letter, trial
from tests.runtime.alerts.sinking import NOW, SECRET, alert, made


def test_a_letter_says_what_its_alert_says() -> None:
    assert made(alert(agent="claude", ends=7), 3) == Letter(
        "n-1", "stop", "claude was stopped", {"agent": "claude", "ends": 7}, "leaf/7", "claude", 3, NOW
    )
    assert made().time == "2026-11-18T12:00:00.000Z"


def test_secrets_are_masked_wherever_they_stand() -> None:
    one = made(Alert(AlertKind.BREAKER, f"it said {SECRET}", {"why": SECRET}, SECRET, SECRET))
    assert (one.sentence, one.fields, one.reference, one.key) == ("it said ***", {"why": "***"}, "***", "***")


def test_what_hides_or_acts_is_made_visible_and_what_is_long_is_cut() -> None:
    one = made(Alert(AlertKind.DRIFT, "a\n<13>1 forged\x1b[2J\u202e" + "x" * 900, {"name": "y" * 900}))
    assert one.sentence.startswith("a <13>1 forged⟨U+001B⟩[2J⟨U+202E⟩xxx")
    assert (len(one.sentence), one.sentence[-1], len(str(one.fields["name"]))) == (500, "…", 200)


def test_fields_without_number_are_left_out() -> None:
    assert len(made(Alert(AlertKind.BUDGET, "s", {f"f{number}": number for number in range(100)})).fields) == FIELDS


def test_a_trial_says_that_nothing_has_happened() -> None:
    one = trial(("n-1", NOW))
    assert (one.kind, "nothing has happened" in one.sentence, one.reference) == ("test", True, "")
