"""Two layers of policy on a running gateway: a team's policies decide for its own servers, and loosen nothing that holds for the whole house."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import Client, Json
from tests.e2e.commands import asked, ordered, told
from tests.e2e.log import of_call
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream, write_config

HOUSE = """
@id("house-reads")
@reason("Everybody may call other.")
permit (principal, action in [Action::"books/other", Action::"code/other"], resource);

@id("house-no-secrets")
@reason("Nobody sends secrets, whatever their team says.")
forbid (principal, action, resource)
when { context has input && context.input has mark && context.input.mark like "*secret*" };
"""
FINANCE = """
@id("finance/opens-everything")
@reason("Finance opens its own server to everybody.")
permit (principal, action, resource);

@id("finance/no-drafts")
@reason("Drafts stay here.")
forbid (principal, action == Action::"books/other", resource)
when { context.input has mark && context.input.mark like "draft*" };
"""


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    """An upstream."""
    with witnessing() as made:
        yield made


def layered(directory: Path, witness: Witness, finance: str = FINANCE, platform: str = "") -> Json:
    """A house with the layers of two teams, written down."""
    for team, text in (("finance", finance), ("platform", platform)):
        (directory / team).mkdir(exist_ok=True)
        (directory / team / "own.cedar").write_text(text)
    layers = {team: {"files": [f"{team}/*.cedar"]} for team in ("finance", "platform")}
    document: Json = {
        "upstreams": {"books": http_upstream(witness.url, team="finance"), "code": http_upstream(witness.url, team="platform")},
        "policies": {"files": ["policy.cedar"], "teams": layers},
    }
    write_config(directory, document, HOUSE)
    return document


@pytest.fixture
def running(tmp_path: Path, witness: Witness) -> Iterator[Running]:
    """A gateway of a house with two teams."""
    with doorward(tmp_path, layered(tmp_path, witness), HOUSE) as gateway:
        yield gateway


def said(running: Running, tool: str, mark: str) -> tuple[str, list[str]]:
    """Why a call was refused (empty: it was not), and by which policies it was decided."""
    with Client(running.url(), running.key()) as client:
        got = client.call(tool, {"mark": mark})
        leaf = of_call(running.directory / "state", got.receipt)[0]
        return got.reason, leaf.get("decision", {}).get("policies", [])


def test_a_team_opens_and_shuts_its_own_server_and_no_other_and_the_house_is_above_it(running: Running) -> None:
    opens, reads = "finance/opens-everything", "house-reads"
    assert said(running, "books__echo", "plain") == ("", [opens])
    assert said(running, "code__echo", "plain") == ("unknown_target", [])
    assert said(running, "code__other", "draft") == ("", [reads])
    assert said(running, "books__other", "draft") == ("forbidden", ["finance/no-drafts"])
    # Everything that is permitted by whomever stays forbidden where the house says so.
    assert said(running, "books__echo", "a secret") == ("forbidden", ["house-no-secrets"])
    assert said(running, "code__other", "a secret") == ("forbidden", ["house-no-secrets"])
    shown = {one["id"]: one["team"] for one in asked(running, "policy", "list")["policies"]}
    assert shown == {"house-reads": "", "house-no-secrets": "", opens: "finance", "finance/no-drafts": "finance"}


WRONG = {
    "another team's server in its scope": (
        '@id("p/steals")\n@reason("It is not ours.")\npermit (principal, action, resource == Upstream::"books");\n',
        "books",
    ),
    "another team's tool in its scope": (
        '@id("p/steals")\n@reason("It is not ours.")\npermit (principal, action == Action::"books/echo", resource);\n',
        "books",
    ),
    "an id that the house has": ('@id("house-reads")\n@reason("Twice.")\npermit (principal, action, resource);\n', "house-reads"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_a_team_may_not_write_is_told_and_does_not_come_into_force(running: Running, witness: Witness, name: str) -> None:
    text, word = WRONG[name]
    layered(running.directory, witness, platform=text)
    code, told_ = told(running, "reload")
    assert (code, word in told_, "platform/own.cedar" in told_) == (1, True, True), told_
    code, checked = told(None, "check", "-c", str(running.directory / "doorward.yaml"))
    assert (code, word in checked) == (1, True), checked
    assert said(running, "code__echo", "plain")[0] == "unknown_target"


def test_a_teams_policy_that_fails_denies_on_its_own_server_alone(running: Running, witness: Witness) -> None:
    # Times at which a whole number runs over: an error, and no answer, for each call.
    failing = FINANCE + (
        '@id("finance/fails")\n@reason("It runs over.")\nforbid (principal, action, resource)\n'
        "when { context.time.unix * 9223372036854775807 == 1 };\n"
    )
    layered(running.directory, witness, finance=failing)
    ordered(running, "reload")
    assert said(running, "code__other", "plain") == ("", ["house-reads"])
    assert said(running, "books__other", "plain")[0] == "unknown_target"


def test_receipts_name_the_set_and_a_change_of_either_layer_makes_another(running: Running, witness: Witness) -> None:
    def named() -> str:
        with Client(running.url(), running.key()) as client:
            got = client.call("books__echo", {"mark": "named"})
            assert got.reason == ""
            return str(of_call(running.directory / "state", got.receipt)[0]["decision"]["set"])

    seen = [named()]
    for finance in (FINANCE + "// Said by finance.\n", FINANCE):
        layered(running.directory, witness, finance=finance)
        ordered(running, "reload")
        seen.append(named())
    assert seen[1] != seen[0] == seen[2]
    entries = asked(running, "policy", "history")["entries"]
    assert [entry["digest"] for entry in entries] == [seen[2], seen[1], seen[0]]
    assert ordered(running, "policy", "diff", seen[1][:12]).count("Said by finance.") == 1
