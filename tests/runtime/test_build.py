"""From materials to a snapshot: pure, and the same for the same."""

from doorward.app.screening import detached
from doorward.catalog.pins import Pins
from doorward.config.model import Document
from doorward.domain.catalog import Posture
from doorward.domain.ids import Digest, Generation, UpstreamId
from doorward.policy.problems import Problems
from doorward.policy.rules import Source
from doorward.runtime.build import Materials, Rigour, build
from doorward.runtime.snapshot import Snapshot
from doorward.testing.house import PERMIT_ALL
from tests.catalog.shown import accepted, document, offer, offers, tool

GIT, HG = UpstreamId("git"), UpstreamId("hg")
OFFER = offer("git", tool("commit"))
NAMES = '@id("named")\n@reason("x")\nforbid (principal, action == Action::"git/push", resource);\n'


def materials(policies: str = PERMIT_ALL, pins: Pins | None = None, of: Document | None = None) -> Materials:
    return Materials(
        of or document("git", "hg"),
        Digest("d" * 64),
        (Source("policy.cedar", policies),),
        offers(OFFER),
        accepted(OFFER) if pins is None else pins,
        detached(),
    )


def built(of: Materials, rigour: Rigour = Rigour.STRICT) -> Snapshot:
    made = build(of, Generation(7), rigour)
    assert isinstance(made, Snapshot), made
    return made


def test_a_snapshot_says_what_it_was_made_of() -> None:
    snapshot = built(materials())
    assert (snapshot.generation, snapshot.document_digest, list(snapshot.offers)) == (7, "d" * 64, ["git"])
    assert [entry.target.name for entry in snapshot.index.everything()] == ["commit"]
    again = built(materials())
    assert (again.policies.digest, again.index.pinned) == (snapshot.policies.digest, snapshot.index.pinned)


def test_an_offer_of_an_upstream_that_is_not_configured_is_none() -> None:
    snapshot = built(materials(of=document("hg")))
    assert (list(snapshot.offers), list(snapshot.index.everything())) == ([], [])


def test_a_name_that_is_certainly_wrong_is_a_problem_for_who_is_strict() -> None:
    strict = build(materials(NAMES), Generation(1), Rigour.STRICT)
    assert isinstance(strict, Problems)
    assert "git/push" in str(strict.items[0])
    lenient = built(materials(NAMES), Rigour.LENIENT)
    assert [str(warning) for warning in lenient.policies.warnings if "git/push" in str(warning)]


def test_a_name_may_be_right_as_long_as_anything_waits_or_was_not_seen() -> None:
    assert built(materials(NAMES, pins=Pins())).policies.warnings
    assert built(materials(NAMES.replace("git/", "hg/"))).policies.warnings


def test_what_is_no_policy_is_a_problem_for_everybody() -> None:
    for rigour in Rigour:
        assert isinstance(build(materials("permit"), Generation(1), rigour), Problems)


def test_a_posture_is_enforced_unless_it_is_said_otherwise() -> None:
    snapshot = built(materials(of=document("git", hg={"posture": "observe"})))
    assert [snapshot.posture(GIT), snapshot.posture(HG), snapshot.posture(UpstreamId("none"))] == [
        Posture.ENFORCE,
        Posture.OBSERVE,
        Posture.ENFORCE,
    ]
    assert (snapshot.is_observed(GIT), snapshot.is_observed(HG)) == (False, True)
