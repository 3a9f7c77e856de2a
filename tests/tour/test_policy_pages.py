"""What the pages about approvals, exceptions and policies over time show of a shell is what comes of it, at a gateway of their own."""

import getpass
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.e2e.commands import asked
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream
from tests.peers import ROOT
from tests.tour.console import Shown, shown, typed

PAGES = ROOT / "docs" / "policies"
VARIES = re.compile(r"\b(?:20\d\d-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?Z?)?|01k[a-z0-9]{5,}|[0-9a-f]{12,}|9f2c6a)\b…?|corp:sue")
"""Moments, references and digests of the pages, and who operates."""
POLICIES = """
@id("reads") @reason("Everything is open but for what follows.")
permit (principal, action, resource);

@id("no-deletes-at-night") @reason("Nobody deletes anything at night.") @mode("observe")
forbid (principal, action in Action::"destructive", resource) when { context.time.hour < 24 };
"""


def texts(page: str) -> str:
    """A page."""
    return (PAGES / page).read_text("utf-8")


def example(page: str, policy: str) -> str:
    """A policy of a page."""
    blocks = [block for block in re.findall(r"```cedar\n(.*?)```", texts(page), re.DOTALL) if f'@id("{policy}")' in block]
    [found] = [text for text in re.split(r"\n\n(?=@id)", blocks[0]) if f'@id("{policy}")' in text]
    return found


def commands(page: str) -> Iterator[Shown]:
    """Its commands, with `…` for what varies."""
    for one in shown(texts(page)):
        yield Shown(one.command, VARIES.sub("…", one.output).replace("[y/N]: y\n", "[y/N]: "))


@dataclass(frozen=True)
class Place:
    """A gateway with the policies of the pages, and what its operator types."""

    running: Running
    witness: Witness

    def say(self, command: str, answers: str = "") -> str:
        """What a command of a page says."""
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DOORWARD_SOCKET": str(self.running.directory / "state" / "control.sock"),
            "PYTHONUTF8": "1",
        }
        [said] = typed([command], self.running.directory, environment, answers)
        return said

    def call(self, agent: str, upstream: str, tool: str, **arguments: object) -> tuple[str, str]:
        """Why an agent's call was refused (empty: it was not), and its receipt."""
        with Client(self.running.url(upstream), self.running.keys[agent]) as client:
            said = client.call(tool, arguments)
            return said.reason, said.receipt


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    witness = Witness()
    fields = {"pay": {"amount": {"type": "number"}, "to": {"type": "string"}}, "query": {"table": {"type": "string"}}, "delete_repo": {}}
    witness.tools = [
        {"name": name, "description": "Of a page.", "inputSchema": {"type": "object", "properties": inner, "required": list(inner)}}
        for name, inner in fields.items()
    ]
    written = POLICIES + example("approvals.md", "large-payments-are-seen") + example("exceptions.md", "no-payroll")
    with witnessing(witness):
        upstreams = {
            "bank": http_upstream(witness.url, team="finance", tools={"pay": {"groups": ["external"], "reversibility": "irreversible"}}),
            "warehouse": http_upstream(witness.url, tools={"query": {"groups": ["read"], "reversibility": "read"}}),
            "git": http_upstream(witness.url, tools={"delete_repo": {"groups": ["destructive"], "reversibility": "irreversible"}}),
        }
        document = {
            "upstreams": upstreams,
            "approvals": {"wait_seconds": 0},
            "policies": {"files": ["policies/*.cedar"], "break_glass": {"operators": [getpass.getuser()]}},
        }
        directory = tmp_path_factory.mktemp("pages")
        (directory / "policies").mkdir()
        (directory / "policies" / "house.cedar").write_text(written)
        with doorward(directory, document) as running:
            for agent in ("pay-agent", "audit-agent", "cleaner", "deploy-agent"):
                added = running.admin.post("/v1/agents", {"id": agent, "team": "finance", "owner": "corp:ada"})
                running.keys[agent] = str(added["key"])
            yield Place(running, witness)


def test_a_question_is_listed_shown_and_answered_as_the_page_on_approvals_shows(place: Place) -> None:
    listing, approving, editing = list(commands("approvals.md"))
    assert place.call("pay-agent", "bank", "pay", amount=12500, to="acme")[0] == "pending"
    listed = place.say(listing.command)
    assert listing.is_like(listed), listed
    [reference] = re.findall(r"^(01\w+)", listed, re.MULTILINE)
    alone = Shown(approving.command, approving.output.replace("acts for    corp:alice, who may not answer\n", ""))
    answered = place.say(alone.command.replace("01kapz3c7m", reference), "y\n")
    assert alone.is_like(answered), answered
    edited = place.say(editing.command.replace("01kapz3c7m", reference), "y\n")
    assert "\n".join(line.rstrip() for line in edited.splitlines()).find(editing.output.partition("…\n")[2].rstrip()) > 0, edited
    assert place.call("pay-agent", "bank", "pay", amount=12500, to="acme")[0] == "pending"


def test_an_exception_and_a_broken_glass_are_given_as_their_page_shows(place: Place) -> None:
    adding, listing, ending, breaking = list(commands("exceptions.md"))
    assert place.call("audit-agent", "warehouse", "query", table="payroll_2026")[0] == "forbidden"
    for one in (adding, listing):
        said = place.say(one.command)
        assert one.is_like(said), said
    reason, receipt = place.call("audit-agent", "warehouse", "query", table="payroll_2026")
    assert reason == ""
    [reference] = re.findall(r"(01\w+)  audit-agent", place.say("doorward exception list"))
    assert receipt in place.say(f"doorward log list --waiver {reference}")
    assert ending.is_like(place.say(ending.command.replace("01kapz3c7mn8q2s4t6v8x0y2z4", reference)))
    assert place.call("audit-agent", "warehouse", "query", table="payroll_2026")[0] == "forbidden"
    broken = place.say(breaking.command, "y\n")
    assert Shown("", breaking.output.replace("01kaq0…", "…")).is_like(broken), broken
    assert "the glass is broken" in place.say("doorward status")
    [glass] = re.findall(r"break-glass close (\w+)", broken)
    assert place.say(f"doorward break-glass close {glass}", "y\n").rstrip().endswith("is over") or glass not in place.say(
        "doorward break-glass list"
    )


def test_policies_over_time_are_told_as_their_page_shows(place: Place) -> None:
    observing, replaying, history, *differing, rolling, explaining = list(commands("history.md"))
    house = place.running.directory / "policies" / "house.cedar"
    for _ in range(3):
        assert place.call("cleaner", "git", "delete_repo")[0] == ""
    said = place.say(observing.command)
    assert observing.is_like(said), said
    _, receipt = place.call("pay-agent", "bank", "pay", amount=900, to="acme")
    before = asked(place.running, "status")["policies"]
    house.write_text(house.read_text().replace("10000.0", "500.0"))
    replayed = place.say(replaying.command)
    assert replayed.split("\n")[0].split() == replaying.output.split("\n")[0].split()
    assert "allow → ask" in replayed
    assert "generation" in place.say("doorward reload")
    assert place.say(history.command).split("\n")[0].split() == history.output.split("\n")[0].split()
    told = place.say(differing[0].command.partition("#")[0])
    assert ("-when { context.input.amount.greaterThanOrEqual" in told, "changed: large-payments-are-seen" in told) == (True, True)
    rolled = place.say(rolling.command.replace("52aa90e1c33f", before[:12]))
    assert Shown("", re.sub(r"\b49\b", "…", rolling.output).replace("52aa90e1c33f", "…")).is_like(rolled), rolled
    again = place.say(explaining.command.replace("01kajx2v…", receipt))
    assert re.match(r"recorded at \S+ of pay-agent: ALLOW by reads\n", again), again
    assert "  today: the same: ALLOW by reads\nBY THE POLICIES OF THAT TIME\n" in again
    assert "are in force since" in place.say("doorward policy rollback --undo")
