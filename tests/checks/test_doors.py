"""Only the composition root names drivers and doors."""

import pytest

from checks import doors
from checks.source import Source


def count(text: str, path: str) -> int:
    return len(list(doors.violations(Source.of(path, text))))


@pytest.mark.parametrize("text", ["import doorward.stores.sqlite", "from doorward.stores import memory", "from doorward import stores"])
def test_only_app_imports_a_store(text: str) -> None:
    assert count(text, "src/doorward/app/compose.py") == 0
    assert count(text, "src/doorward/app.py") == 0
    assert count(text, "src/doorward/cli/log.py") == 1
    assert count(text, "src/doorward/application.py") == 1


def test_commands_have_no_private_door_to_the_control_plane() -> None:
    assert count("from doorward.control.routes import app", "src/doorward/cli/agent.py") == 1
    assert count("from doorward.client import Client", "src/doorward/cli/agent.py") == 0


def test_similar_names_pass() -> None:
    assert count("import doorward.storeship\nfrom doorward.domain import ids", "src/doorward/cli/log.py") == 0
