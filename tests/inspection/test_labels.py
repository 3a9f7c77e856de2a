"""What is told of findings that pass marked."""

from doorward.domain.findings import Disposition, Finding, Part, Severity
from doorward.inspection.labels import FINDINGS_KEY, MOST, explained, labels, noted


def found(place: str, done: Disposition | None, part: Part = Part.VALUE) -> Finding:
    return Finding("injection", "override", Severity.MEDIUM, place, 0, 1, part, done)


LABEL = {"guard": "injection", "rule": "override", "severity": "medium", "pointer": "/content/0/text", "done": "label"}


def test_what_passes_marked_is_told_and_nothing_else_is() -> None:
    every = [found("/content/0/text", done) for done in (*Disposition, None)]
    assert labels(every) == (LABEL, {**LABEL, "done": "spotlight"})


def test_labels_are_bounded() -> None:
    assert labels([found("/content/0/text", Disposition.LABEL)] * (MOST + 1)) == (LABEL,) * MOST
    assert len(labels([found("/" + "a" * 1000, Disposition.LABEL)])[0]["pointer"]) == 256


def test_the_way_to_what_stood_below_a_name_that_is_cut_out_does_not_name_it() -> None:
    told = labels(
        [found("/a/s3cret~1/x", Disposition.LABEL), found("/a/s3cret~1", Disposition.REDACT, Part.KEY), found("/a/b~1", Disposition.LABEL)]
    )
    assert [label["pointer"] for label in told] == ["/a", "/a/b~1"]


def test_a_notification_and_an_error_bear_labels_where_they_have_room() -> None:
    assert noted({"level": "info", "_meta": {"a": 1}}, [LABEL]) == {"level": "info", "_meta": {"a": 1, FINDINGS_KEY: [LABEL]}}
    assert explained(None, [LABEL]) == {FINDINGS_KEY: [LABEL]}
    assert explained({"why": "x"}, [LABEL]) == {"why": "x", FINDINGS_KEY: [LABEL]}
    assert explained("x", [LABEL]) == "x"
