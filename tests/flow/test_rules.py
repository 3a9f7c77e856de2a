"""What targets are labelled, and which rules are about them."""

from collections.abc import Mapping

import pytest

from doorward.domain.flow import Confidentiality, Integrity, Label
from doorward.flow.pointers import reached, steps
from doorward.flow.resources import fits
from doorward.flow.rules import UNLABELLED, Rules, Trace
from tests.flow.bench import Bench, document, resource
from tests.made import target

PUBLIC, INTERNAL, RESTRICTED = Confidentiality


def _label(said: Mapping[str, object], tool: Mapping[str, object] | None = None) -> Label:
    tools = {"tools": {"commit": {"labels": tool}}} if tool is not None else {}
    return Rules(document(git={"labels": said, **tools}), Trace.ON).about(target()).label


def test_what_nobody_has_labelled_is_untrusted_and_internal() -> None:
    assert _label({}) == UNLABELLED == Label(Integrity.UNTRUSTED, INTERNAL)
    assert Rules(document(), Trace.ON).about(target()).label == UNLABELLED


def test_a_tool_says_itself_what_it_says_and_its_upstream_the_rest() -> None:
    upstream = {"integrity": "trusted", "confidentiality": "restricted", "categories": ["customer"]}
    assert _label(upstream, {"confidentiality": "public"}) == Label(Integrity.TRUSTED, PUBLIC, frozenset({"customer"}))
    assert _label(upstream, {"integrity": "untrusted", "categories": ["health"]}) == Label(
        Integrity.UNTRUSTED, RESTRICTED, frozenset({"health"})
    )
    assert _label(upstream, {"categories": []}) == Label(Integrity.TRUSTED, RESTRICTED)


RESOURCES = {
    "integrity": "trusted",
    "resources": {
        "file:///public/*": {"confidentiality": "public"},
        "file:///*/secret/*": {"confidentiality": "restricted", "categories": ["secret"]},
        "file:///inbox/*": {"integrity": "untrusted"},
    },
}
SECRET = Label(Integrity.TRUSTED, RESTRICTED, frozenset({"secret"}))
WORST = Label(Integrity.UNTRUSTED, RESTRICTED, frozenset({"secret"}))


@pytest.mark.parametrize(
    ("uri", "label"),
    [
        ("file:///public/a", Label(Integrity.TRUSTED, PUBLIC)),
        ("file:///other/a", Label(Integrity.TRUSTED, INTERNAL)),
        ("file:///public/secret/a", SECRET),
        ("FILE:///public/%73ecret/a", SECRET),
        ("file:///public/%2573ecret/a", SECRET),
        ("file:///public/../x/secret/a", WORST),
        ("file:///public/%2e%2e/x", WORST),
        ("file:///public//x", WORST),
        ("file:///public\\..\\x", WORST),
        ("file:///inbox/a", Label(Integrity.UNTRUSTED, INTERNAL)),
        ("file:/inbox/a", Label(Integrity.UNTRUSTED, INTERNAL)),
        ("file://localhost/inbox/a", Label(Integrity.UNTRUSTED, INTERNAL)),
        ("file://LOCALHOST/inbox%5Ca", Label(Integrity.UNTRUSTED, INTERNAL)),
        ("file:///inbox\\a", Label(Integrity.UNTRUSTED, INTERNAL)),
        (" file:///inbox/a", Label(Integrity.UNTRUSTED, INTERNAL)),
        ("file://elsewhere/inbox/a", Label(Integrity.TRUSTED, INTERNAL)),
    ],
)
def test_a_resource_is_labelled_by_every_pattern_that_its_uri_may_fit(uri: str, label: Label) -> None:
    bench = Bench(document(mail={"labels": RESOURCES}))
    bench.forwarded(resource(uri))
    assert bench.contexts.flow(bench.call()).label == label


@pytest.mark.parametrize(
    ("pattern", "text", "is_fitting"),
    [
        ("a*c", "abc", True),
        ("a*c", "ac", True),
        ("a*a", "a", False),
        ("*", "", True),
        ("a*b*c", "aXbYc", True),
        ("a*b*c", "aXcYb", False),
        ("abc", "ABC", True),
        ("abc", "abcd", False),
        ("*bc*bc", "abc", False),
    ],
)
def test_a_star_stands_for_any_text(pattern: str, text: str, is_fitting: bool) -> None:
    assert fits(pattern, text) is is_fitting


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("/from", ["a"]),
        ("/list/*/from", ["b", None]),
        ("/list/0/from", ["b"]),
        ("/list/9", [None]),
        ("/list/x", [None]),
        ("/a~1b", [1]),
        ("/none/*", [None]),
        ("/empty/*", []),
        ("/from/*", [None]),
    ],
)
def test_a_pointer_leads_to_each_place_and_says_where_it_leads_nowhere(pointer: str, found: list[object]) -> None:
    value = {"from": "a", "list": [{"from": "b"}, {}], "a/b": 1, "empty": []}
    assert list(reached(value, steps(pointer))) == found
