"""Agents at the command line: what they are known by, and what becomes of those whose owner leaves."""

from pathlib import Path

import pytest

from tests.cli.operating import operating

SPIFFE = "spiffe://example.org/agents/builder"


def test_an_agent_that_comes_with_certificates_alone_has_no_key(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        words = ("agent", "add", "builder", "--team", "ci", "--purpose", "Builds.", "--method", "certificate", "--identity", SPIFFE)
        assert at.said(*words) == "builder is known; it has no key\n"
        shown = at.asked("agent", "show", "builder")
        assert (shown["methods"], shown["identities"], shown["purpose"], shown["keys"]) == (
            ["certificate"],
            [f"spiffe:{SPIFFE}"],
            "Builds.",
            [],
        )
        assert at.said("agent", "list").splitlines()[1].endswith("1 identity")
        assert "may prove itself by keys, 'builder' may not" in at.told("agent", "rotate", "builder").stderr


def test_an_identity_is_bound_to_one_agent_and_taken_from_it(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        at.said("agent", "add", "one", "--team", "t")
        at.said("agent", "add", "two", "--team", "t")
        assert at.said("agent", "bind", "one", "client:corp:abc") == "client:corp:abc is one\n"
        assert "stands for 'one'" in at.told("agent", "bind", "two", "client:corp:abc").stderr
        assert "expected an identity of 'two'" in at.told("agent", "unbind", "two", "client:corp:abc").stderr
        assert at.said("agent", "unbind", "one", "client:corp:abc") == "client:corp:abc is no longer one\n"
        assert at.said("agent", "bind", "two", "client:corp:abc") == "client:corp:abc is two\n"
        assert "expected client:ISSUER:ID, spiffe://" in at.told("agent", "bind", "two", "abc").stderr


def test_what_is_said_of_an_agent_is_changed(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        at.said("agent", "add", "one", "--team", "t")
        at.said("agent", "edit", "one", "--owner", "ben", "--purpose", "Reads.", "--method", "agent_key", "--ends-in-days", "2")
        shown = at.asked("agent", "show", "one")
        assert (shown["owner"], shown["purpose"], shown["methods"], shown["expires_at"] is None) == ("ben", "Reads.", ["agent_key"], False)
        at.said("agent", "edit", "one", "--never-ends", "--purpose", "")
        shown = at.asked("agent", "show", "one")
        assert (shown["owner"], shown["purpose"], shown["expires_at"]) == ("ben", "", None)


@pytest.mark.parametrize(
    ("words", "why"), [((), "name something to change"), (("--never-ends", "--ends-in-days", "1"), "either --ends-in-days or --never-ends")]
)
def test_an_edit_that_cannot_be_meant_is_a_usage_error(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    with operating(tmp_path) as at:
        result = at.told("agent", "edit", "one", *words)
        assert (result.exit_code, why in result.stderr) == (2, True)


def test_the_agents_of_an_owner_who_left_stay_out_until_somebody_answers_for_them(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        for name in ("one", "two"):
            at.said("agent", "add", name, "--team", "t", "--owner", "ada")
        assert at.said("agent", "owner-left", "ada") == "one is suspended\ntwo is suspended\nnobody acts for ada any more\n"
        assert [line.split()[3:6] for line in at.said("agent", "list").splitlines()[1:]] == [["suspended", "(owner", "left)"]] * 2
        assert "has left" in at.told("agent", "resume", "one").stderr
        at.said("agent", "edit", "one", "--owner", "ben")
        assert at.said("agent", "resume", "one") == "one is active\n"
        assert at.told("agent", "owner-left", "nobody").stderr == "Error: no agent has the owner 'nobody'\n"
