"""The official conformance suite against Doorward in front of the conformance peer, also where the peer speaks the other era only."""

from pathlib import Path

import pytest

from tests.conformance.suite import expected_for, run_suite
from tests.gateway import doorward, http_upstream
from tests.peers import everything

pytestmark = pytest.mark.peer

OPEN = {
    "identity": {"anonymous": {"agent": "suite"}},
    "admission": {"calls_per_minute": 100_000, "burst": 10_000},
}
"""The suite can send no credential, and calls faster than an agent should."""


@pytest.mark.parametrize(
    ("revision", "era", "listed"),
    [
        ("2025-11-25", "dual", "2025-11-25"),
        ("2026-07-28", "dual", "2026-07-28"),
        ("2025-11-25", "exchange", "2025-11-25 over exchange"),
        ("2026-07-28", "session", "2026-07-28 over session"),
    ],
)
def test_doorward_passes_everything_that_counts_but_what_is_listed(revision: str, era: str, listed: str, tmp_path: Path) -> None:
    with everything("--era", era) as url:
        upstream = http_upstream(url, client_input=["elicitation", "sampling", "roots"])
        with doorward(tmp_path, {"upstreams": {"everything": upstream}, **OPEN}) as running:
            assert run_suite(running.url("everything"), revision, expected_for(listed)).surprises == []
