"""The trust of now: what is read from files, and how a certificate that does not hold spoils a request."""

from pathlib import Path

import pytest

from doorward.config.authorities import AuthorityError
from doorward.config.model import Listen, Proxy, Tls
from doorward.domain.reasons import Reason, Refused
from doorward.identity.certificates.spoiled import Spoiled
from doorward.identity.certificates.trust import Embedded, Trust, files, read
from tests.certificates import DAY, authority, now, pem
from tests.identity.certificates.house import presented, seen
from tests.made import Clock

ROOT = authority()
BETWEEN = ROOT.intermediate("between")
NOW = now().timestamp()


def listen(directory: Path, crl: str = "", **tls: object) -> Listen:
    (directory / "roots.pem").write_text(ROOT.pem + BETWEEN.pem)
    (directory / "one.crl").write_text(crl)
    rules = {"certificate": "server.pem", "key": "server.key", "clients": "required", "roots": ("roots.pem",), **tls}
    return Listen(tls=Tls(**rules, crls=("one.crl",) if crl else ()))


def trust(directory: Path, crl: str = "", embedded: Embedded | None = None) -> Trust:
    return read(listen(directory, crl), directory, embedded, NOW)


def refused(guard: Spoiled, certificate: object, authorization: str | None = None) -> Reason:
    with pytest.raises(Refused) as caught:
        guard.identify(presented(certificate, authorization=authorization))  # type: ignore[arg-type]
    return caught.value.reason


def test_certificate_of_a_root_holds_until_it_expires(tmp_path: Path) -> None:
    leaf, clock = seen(BETWEEN.leaf(), BETWEEN, ROOT), Clock(NOW)
    guard = Spoiled(trust(tmp_path), clock)
    guard.identify(presented(leaf))
    clock.at = leaf.not_after
    assert refused(guard, leaf) is Reason.REVOKED


@pytest.mark.parametrize("authorization", [None, "", "Bearer dw_good_key"])
def test_revoked_certificate_spoils_a_request_whatever_else_it_brings(tmp_path: Path, authorization: str | None) -> None:
    bad = BETWEEN.leaf()
    guard = Spoiled(trust(tmp_path, pem(BETWEEN.crl([bad.certificate]))), Clock(NOW))
    assert refused(guard, seen(bad, BETWEEN, ROOT), authorization) is Reason.REVOKED
    guard.identify(presented(None, authorization=authorization))


def test_change_of_trust_tells_once_which_certificates_spoil(tmp_path: Path) -> None:
    issued = BETWEEN.leaf(), BETWEEN.leaf()
    good, bad = (seen(one, BETWEEN, ROOT) for one in issued)
    guard = Spoiled(trust(tmp_path), Clock(NOW))
    for one in (good, bad):
        guard.identify(presented(one))
    assert guard.adopt(trust(tmp_path, pem(BETWEEN.crl([issued[1].certificate])))) == (bad,)
    assert guard.sweep() == ()
    assert guard.adopt(Trust()) == (good,)


def test_list_that_ends_while_nothing_changes_is_told_and_closes_its_issuer(tmp_path: Path) -> None:
    leaf, clock = seen(BETWEEN.leaf(), BETWEEN, ROOT), Clock(NOW)
    guard = Spoiled(trust(tmp_path, pem(BETWEEN.crl(ends=now() + DAY / 24))), clock)
    guard.identify(presented(leaf))
    assert (guard.closed(), guard.sweep()) == ((), ())
    clock.at = NOW + 7200
    assert (guard.closed(), guard.sweep()) == (("CN=between",), (leaf,))


def test_certificate_of_an_authority_that_is_trusted_no_more_is_refused(tmp_path: Path) -> None:
    other = authority("other")
    guard = Spoiled(trust(tmp_path), Clock(NOW))
    assert refused(guard, seen(other.leaf(), other)) is Reason.REVOKED


def test_embedded_authority_is_trusted_beside_roots_and_behind_a_proxy(tmp_path: Path) -> None:
    ours = authority("ours")
    embedded, leaf = Embedded(ours.certificate, "doorward.local"), seen(ours.leaf(), ours)
    proxied = Listen(proxy=Proxy(addresses=("10.0.0.5",)))
    for found in (trust(tmp_path, embedded=embedded), read(proxied, tmp_path, embedded, NOW)):
        assert (found.fault(leaf, NOW), ours.pem in found.pem) == (None, True)
    assert trust(tmp_path).fault(leaf, NOW) is not None


def test_nobody_is_trusted_where_clients_show_no_certificates(tmp_path: Path) -> None:
    assert read(listen(tmp_path, clients="off"), tmp_path, None, NOW) == Trust()
    assert read(Listen(), tmp_path, None, NOW) == Trust()


def test_forged_list_is_an_error_and_no_trust(tmp_path: Path) -> None:
    with pytest.raises(AuthorityError):
        trust(tmp_path, pem(authority("between").crl()))


def test_every_file_of_a_listener_is_watched(tmp_path: Path) -> None:
    names = [path.name for path in files(listen(tmp_path, pem(ROOT.crl())), tmp_path)]
    assert (names, files(Listen(), tmp_path)) == (["server.pem", "server.key", "roots.pem", "one.crl"], ())
