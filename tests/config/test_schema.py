"""What is published about the document is what the model says."""

from pathlib import Path

import jsonschema_rs
import pytest

from checks.configuration import PAGE, SCHEMA, page_text, schema_text
from doorward.config.ground import Ground
from doorward.config.load import read
from doorward.config.schema import json_schema

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_schema_is_valid_json_schema() -> None:
    assert jsonschema_rs.meta.is_valid(json_schema())


def test_the_committed_schema_is_current() -> None:
    assert (ROOT / SCHEMA).read_text("utf-8") == schema_text(), "run python -m checks.configuration"


def test_the_committed_page_is_current() -> None:
    page = (ROOT / PAGE).read_text("utf-8")
    assert page == page_text(page), "run python -m checks.configuration"


def test_every_field_is_described() -> None:
    parts = [json_schema(), *json_schema()["$defs"].values()]  # type: ignore[attr-defined]
    assert [name for part in parts for name, field in part.get("properties", {}).items() if not field.get("description")] == []


@pytest.mark.parametrize("example", [block.split("```")[0] for block in (ROOT / PAGE).read_text("utf-8").split("```yaml\n")[1:]])
def test_every_example_of_the_page_is_a_sound_document(tmp_path: Path, example: str) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "a.cedar").write_text("")
    read(example.encode(), tmp_path / "doorward.yaml", Ground(tmp_path, {}))
