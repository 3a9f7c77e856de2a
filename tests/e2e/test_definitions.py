"""A real poisoned server through a running gateway: what is poisoned is held back from first use, shown, and let in by name alone."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from doorward.cli.main import main
from tests import peers
from tests.e2e.client import Client
from tests.e2e.commands import asked, ordered, told
from tests.e2e.log import events, until
from tests.e2e.test_catalog import names
from tests.gateway import doorward, stdio_upstream

pytestmark = pytest.mark.peer

POISONED = (peers.python_of("fastmcp"), str(peers.ROOT / "tests/clients/poisoned_on_fastmcp.py"))


def test_poisoned_tool_of_a_server_trusted_on_first_use_is_held_back_until_its_rules_are_named(tmp_path: Path) -> None:
    document = {"upstreams": {"calc": stdio_upstream(POISONED, timeouts={"first_byte": 60})}}
    with doorward(tmp_path, document) as running, Client(running.url("calc"), running.key()) as client:
        until(lambda: names(client) == ["multiply", "subtract"])
        assert client.call("multiply", {"first": 6, "second": 7}).text == "42"
        assert client.call("add", {"first": 1, "second": 2}).reason == "unknown_target"

        code, diff = told(running, "catalog", "diff")
        assert (code, "calc tool add: new" in diff, "! high pseudo_tag at /description" in diff) == (1, True, True)
        noted = {item["name"]: item["note"] for item in asked(running, "catalog", "list")["items"] if item["kind"] == "tool"}
        assert "medium preference at /description" in noted["subtract"]
        assert noted["multiply"] == ""

        code, words = told(running, "catalog", "approve", "calc", "--all")
        assert code == 1
        rules = words.rpartition("say ")[2].split()
        assert {"pseudo_tag", "secrecy", "sensitive_source"} <= set(rules)
        assert told(running, "catalog", "approve", "calc", "add", "--despite", "pseudo_tag")[0] == 1
        assert "add" not in names(client)
        ordered(running, "catalog", "approve", "calc", "add", *rules)
        assert names(client) == ["add", "multiply", "subtract"]
        assert client.call("add", {"first": 1, "second": 2}).text == "3"
        [approved] = [leaf for leaf in events(tmp_path / "state", "definition_approved") if leaf["by"] != "first-use"]
        assert "secrecy" in approved["fields"]["despite"]


def test_the_same_server_is_seen_through_before_any_gateway_knows_it(tmp_path: Path) -> None:
    words = ["scan", "-c", str(tmp_path / "none"), "--sarif", str(tmp_path / "out.sarif"), "--stdio", "--", *POISONED]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1, done.output
    results = json.loads((tmp_path / "out.sarif").read_text())["runs"][0]["results"]
    worst = {one["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] for one in results if one["level"] == "error"}
    assert worst == {"scanned/tool/add#/description"}
