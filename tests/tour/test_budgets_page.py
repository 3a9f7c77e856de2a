"""What the page about budgets shows is what there is."""

import re

from ruamel.yaml import YAML

from doorward.admission.budgets.windows import SLOTS
from doorward.cli.main import main
from doorward.config.check_budgets import budgets
from doorward.config.model import Document
from doorward.control.budgets import MOST_DAYS
from tests.peers import ROOT

PAGE = (ROOT / "docs" / "limits" / "budgets.md").read_text("utf-8")


def test_the_budgets_of_the_page_load_and_can_be_counted() -> None:
    [shown] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    upstreams = {name: {"url": f"https://{name}.test/mcp"} for name in ("web", "bank")}
    document = Document.model_validate({"upstreams": upstreams, **YAML(typ="safe").load(shown)})
    assert (list(budgets(document)), list(document.budgets)) == ([], ["payments", "searches-of-a-person", "reading"])


def test_the_commands_of_the_page_are_there() -> None:
    group = main.get_command(None, "budget")  # type: ignore[arg-type]
    assert set(re.findall(r"^doorward budget (\w+)", PAGE, re.MULTILINE)) == set(group.commands)  # type: ignore[union-attr]


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    assert SLOTS == 60
    assert "sixty slots" in PAGE
    assert f"within {MOST_DAYS} days" in PAGE
