"""What the page about limits shows is what there is: its limits load, and its entries and fields are told just so."""

import json
import re
from typing import Any

from ruamel.yaml import YAML

from doorward.config.check_limits import limits
from doorward.config.model import Admission, Document
from doorward.wire.limits import fields
from tests.peers import ROOT

PAGE = (ROOT / "docs" / "limits" / "README.md").read_text("utf-8")


def block(language: str) -> str:
    """The one block of a language."""
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_the_limits_of_the_page_load_and_mean_something() -> None:
    upstreams = {name: {"url": f"https://{name}.test/mcp"} for name in ("web", "db")}
    document = Document.model_validate({"upstreams": upstreams, **YAML(typ="safe").load(block("yaml"))})
    assert (list(limits(document)), len(document.limits)) == ([], 4)


def test_the_fields_of_the_page_are_those_of_its_entries() -> None:
    entries: Any = json.loads("{" + block("json") + "}")["dev.doorward/limits"]
    [shown] = re.findall(r"```\n(RateLimit-Policy: .*?)```", PAGE, re.DOTALL)
    policy, limit = (value.decode() for _, value in fields(entries))
    assert shown == f"RateLimit-Policy: {policy}\nRateLimit: {limit}\n"


def test_the_defaults_of_the_page_are_those_of_the_model() -> None:
    rules = Admission()
    assert f"{rules.calls_per_minute} a minute, after {rules.burst} at once" in PAGE
    assert f"`admission.concurrent` | {rules.concurrent} at" in PAGE
    assert f"`admission.in_flight` | {rules.in_flight} at" in PAGE
