"""Every real client, in its own environment and era, against the conformance peer alone."""

import pytest

from tests.peers import act, everything

pytestmark = pytest.mark.peer

SPOKEN = {
    "sdk1 of 2025-06-18": "2025-06-18",
    "sdk1 of 2025-11-25": "2025-11-25",
    "sdk2 in session": "2025-11-25",
    "sdk2 of 2026-07-28": "2026-07-28",
    "sdk2 on its own": "2026-07-28",
    "fastmcp": "2026-07-28",
}


@pytest.mark.parametrize("client", SPOKEN)
def test_client_speaks_its_revision_lists_and_calls(client: str) -> None:
    with everything() as url:
        seen = act(client, url, [("test_simple_text", {}), ("test_error_handling", {})], key="any")
    assert seen.revision == SPOKEN[client]
    assert "test_simple_text" in seen.tools
    assert [(result["content"], result["isError"]) for result in seen.results] == [
        ([{"type": "text", "text": "A simple text."}], False),
        ([{"type": "text", "text": "this tool always fails"}], True),
    ]


@pytest.mark.parametrize(
    ("arguments", "revision"), [(("--era", "session", "--newest", "2025-06-18"), "2025-06-18"), (("--era", "session"), "2025-11-25")]
)
def test_client_without_a_fixed_era_follows_the_server(arguments: tuple[str, ...], revision: str) -> None:
    with everything(*arguments) as url:
        assert act("sdk2 on its own", url, []).revision == revision
