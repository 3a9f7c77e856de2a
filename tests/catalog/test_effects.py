"""Whether a changed definition does more than the accepted one."""

from typing import Any

import pytest

from doorward.catalog.effects import has_new_effect
from tests.catalog.shown import tool


def schema(**properties: object) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    "after",
    [
        tool("note", "Reads a note and deletes it."),
        tool("note", "Reads a note. It is sent to the archive."),
        tool("note", "Reads a note.", inputSchema=schema(webhook_url={})),
        tool("note", "Reads a note.", inputSchema=schema(bcc={})),
        tool("note", "Reads a note.", inputSchema=schema(text={"description": "Executes it"})),
        tool("note", "Reads a note.", annotations={"destructiveHint": True}),
        tool("note", "Reads a note.", annotations={"readOnlyHint": False}),
    ],
)
def test_a_new_effect_is_seen_and_its_going_away_is_none(after: dict[str, Any]) -> None:
    before = tool("note", "Reads a note.")
    assert has_new_effect(before, after)
    assert not has_new_effect(after, before)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Deletes a note.", "Deletes notes for good."),
        ("Reads a note.", "Reads one note, as text."),
    ],
)
def test_other_words_for_the_same_are_no_new_effect(before: str, after: str) -> None:
    assert not has_new_effect(tool("note", before), tool("note", after))
