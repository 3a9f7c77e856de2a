"""The official conformance suite against our peer alone: what fails through Doorward and not here is Doorward's."""

import pytest

from tests.conformance.suite import REVISIONS, run_suite
from tests.peers import everything

pytestmark = pytest.mark.peer


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_peer_of_both_eras_passes_everything_that_counts(revision: str) -> None:
    with everything() as url:
        assert run_suite(url, revision).surprises == []


@pytest.mark.parametrize(("era", "revision"), [("session", "2025-11-25"), ("exchange", "2026-07-28")])
def test_a_peer_of_one_era_passes_its_own_revision(era: str, revision: str) -> None:
    with everything("--era", era) as url:
        assert run_suite(url, revision).surprises == []


def test_a_peer_of_the_session_era_fails_the_exchange_revision() -> None:
    with everything("--era", "session") as url:
        failed = run_suite(url, "2026-07-28").failed
    assert {"server-stateless", "tools-list", "tools-call-simple-text"} <= failed.keys()
