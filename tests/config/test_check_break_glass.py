"""A name that could never break the glass is found before the glass must be broken."""

from typing import Any

import pytest

from doorward.config.check_break_glass import break_glass
from doorward.config.model import Document

DOOR = {"tls": {"certificate": "c.pem", "key": "c.key"}, "sign_in": "corp"}


def found(*names: str, door: dict[str, Any] | None = DOOR) -> list[tuple[str, int]]:
    document = Document.model_validate(
        {
            "policies": {"break_glass": {"operators": names}},
            "control": {"operators": {"ada": "viewer"}, **({} if door is None else {"listen": door})},
        }
    )
    return [(one.weight.value, int(one.path[-1])) for one in break_glass(document)]


def test_a_document_without_it_has_no_findings() -> None:
    assert list(break_glass(Document())) == []


def test_names_that_can_come_in_have_none_either() -> None:
    assert found("ada", "root", "corp:00u1x7", "corp:auth0|a:b") == []


@pytest.mark.parametrize(
    ("names", "findings"),
    [
        (("bob",), [("note", 0)]),
        (("Ada",), [("note", 0)]),
        (("ada", "ada"), [("note", 1)]),
        (("ada ",), [("error", 0)]),
        (("other:ada",), [("note", 0)]),
        (("corp:",), [("error", 0)]),
    ],
)
def test_what_nobody_comes_in_by_is_told(names: tuple[str, ...], findings: list[tuple[str, int]]) -> None:
    assert found(*names) == findings


def test_nobody_signs_in_where_there_is_no_door() -> None:
    assert found("corp:ada", door=None) == [("note", 0)]
