"""Revocation lists: which count, what they revoke, and what happens when they end."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from doorward.config.authorities import AuthorityError, lists
from doorward.identity.certificates.crl import Revocations, Revoked, revocations
from tests.certificates import DAY, Authority, authority, now, pem
from tests.identity.certificates.house import seen

ROOT = authority()
BETWEEN = ROOT.intermediate("between")
NOW = now().timestamp()
TOMORROW = (now() + 2 * DAY).timestamp()


def of(*found: x509.CertificateRevocationList, roots: tuple[Authority, ...] = (ROOT, BETWEEN)) -> Revocations:
    return revocations(found, [one.certificate for one in roots], NOW)


def test_revoked_leaf_does_not_hold_and_others_do() -> None:
    bad, good = BETWEEN.leaf(), BETWEEN.leaf()
    known = of(BETWEEN.crl([bad.certificate]))
    assert known.fault(seen(bad, BETWEEN, ROOT).path, NOW) is not None
    assert known.fault(seen(good, BETWEEN, ROOT).path, NOW) is None


def test_revoked_intermediate_ends_all_below_it() -> None:
    known = of(ROOT.crl([BETWEEN.certificate]))
    assert known.fault(seen(BETWEEN.leaf(), BETWEEN, ROOT).path, NOW) is not None
    assert known.fault(seen(ROOT.leaf(), ROOT).path, NOW) is None


def test_issuer_without_a_list_is_not_closed_by_the_lists_of_others() -> None:
    other = authority("other")
    assert of(ROOT.crl()).fault(seen(other.leaf(), other).path, NOW) is None


def test_list_that_has_ended_closes_its_issuer_and_is_told() -> None:
    known = of(BETWEEN.crl(), ROOT.crl(ends=now() + 9 * DAY))
    leaf = seen(BETWEEN.leaf(), BETWEEN, ROOT)
    assert (known.fault(leaf.path, NOW), known.ended(NOW)) == (None, ())
    assert known.fault(leaf.path, TOMORROW) is not None
    assert known.ended(TOMORROW) == ("CN=between",)
    assert known.fault(seen(ROOT.leaf(), ROOT).path, TOMORROW) is None


def test_list_that_has_ended_already_closes_its_issuer_from_the_start() -> None:
    known = of(ROOT.crl(begins=now() - 3 * DAY, ends=now() - DAY))
    assert known.fault(seen(ROOT.leaf(), ROOT).path, NOW) is not None


def test_newest_list_of_an_issuer_counts_alone() -> None:
    bad, worse = ROOT.leaf(), ROOT.leaf()
    old, new = ROOT.crl([bad.certificate], begins=now() - 2 * DAY, ends=now() - DAY), ROOT.crl([worse.certificate])
    for order in ((old, new), (new, old)):
        known = of(*order)
        assert [known.fault(seen(one, ROOT).path, NOW) is None for one in (bad, worse)] == [True, False]


def test_lists_of_different_scopes_are_added_up() -> None:
    bad = ROOT.leaf()
    scope = x509.IssuingDistributionPoint(None, None, False, True, None, False, False)
    known = of(ROOT.crl([BETWEEN.certificate], extension=scope), ROOT.crl([bad.certificate], ends=now() + 9 * DAY))
    assert known.fault(seen(bad, ROOT).path, NOW) is not None
    assert known.fault(seen(BETWEEN.leaf(), BETWEEN, ROOT).path, NOW) is not None
    assert known.ended(TOMORROW) == ("CN=root",)


def test_lists_of_two_keys_with_one_name_are_added_up() -> None:
    before, after = authority("same"), authority("same")
    old, new = before.leaf(), after.leaf()
    known = of(before.crl([old.certificate], begins=now() - 2 * DAY), after.crl([new.certificate]), roots=(before, after))
    assert all(known.fault(seen(one, by).path, NOW) is not None for one, by in ((old, before), (new, after)))


def _forged() -> x509.CertificateRevocationList:
    return authority("root").crl()


def _begins_tomorrow() -> x509.CertificateRevocationList:
    return ROOT.crl(begins=now() + DAY, ends=now() + 2 * DAY)


def _delta() -> x509.CertificateRevocationList:
    return ROOT.crl(extension=x509.DeltaCRLIndicator(1))


def _indirect() -> x509.CertificateRevocationList:
    return ROOT.crl(extension=x509.IssuingDistributionPoint(None, None, False, False, None, True, False))


def _some_reasons() -> x509.CertificateRevocationList:
    reasons = frozenset({x509.ReasonFlags.key_compromise})
    return ROOT.crl(extension=x509.IssuingDistributionPoint(None, None, False, False, reasons, False, False))


@pytest.mark.parametrize("made", [_forged, _begins_tomorrow, _delta, _indirect, _some_reasons])
def test_list_that_nobody_can_vouch_for_is_not_taken(made: object) -> None:
    with pytest.raises(AuthorityError):
        of(made())  # type: ignore[operator]


def test_list_of_an_intermediate_that_is_not_among_the_roots_is_not_taken() -> None:
    with pytest.raises(AuthorityError):
        of(BETWEEN.crl(), roots=(ROOT,))


def test_lists_are_read_from_pem_and_der(tmp_path: Path) -> None:
    one, two = ROOT.crl(), BETWEEN.crl()
    both, der, broken = tmp_path / "both.pem", tmp_path / "one.crl", tmp_path / "broken"
    both.write_text(pem(one) + "between them\n" + pem(two))
    der.write_bytes(one.public_bytes(Encoding.DER))
    assert (lists(both), lists(der)) == ((one, two), (one,))
    for text in (b"", b"\x30\x03abc", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"):
        broken.write_bytes(text)
        with pytest.raises(AuthorityError):
            lists(broken)
    with pytest.raises(AuthorityError):
        lists(tmp_path / "missing")


@given(
    st.dictionaries(st.sampled_from("abc"), st.frozensets(st.integers(1, 4))),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4))),
)
def test_path_holds_exactly_if_none_of_its_elements_is_revoked(revoked: dict[str, frozenset[int]], path: list[tuple[str, int]]) -> None:
    known = Revocations({issuer: Revoked(serials, 10.0) for issuer, serials in revoked.items()})
    is_revoked = any(serial in revoked.get(issuer, ()) for issuer, serial in path)
    assert (known.fault(path, 9.0) is not None) is is_revoked
    assert (known.fault(path, 10.0) is not None) is any(issuer in revoked for issuer, _ in path)
