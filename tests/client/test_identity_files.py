"""An agent's key and certificate on its own machine."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from doorward.client.identity_files import IdentityFiles, IdentityFilesError, is_due
from tests.certificates import DAY, Authority, Wanted, authority, now

ROOT = authority()


def signed(request: bytes, by: Authority) -> bytes:
    """A certificate for the key of a request."""
    key = x509.load_pem_x509_csr(request).public_key()
    builder = x509.CertificateBuilder(by.certificate.subject, x509.Name([]), key, x509.random_serial_number())
    made = builder.not_valid_before(now() - DAY).not_valid_after(now() + DAY).sign(by.key, hashes.SHA256())
    return made.public_bytes(Encoding.PEM) + by.certificate.public_bytes(Encoding.PEM)


def test_key_is_made_once_and_the_certificate_replaced_whole(tmp_path: Path) -> None:
    files = IdentityFiles(tmp_path / "a" / "b")
    first, again = files.request(), files.request()
    assert x509.load_pem_x509_csr(first).public_key() == x509.load_pem_x509_csr(again).public_key()
    assert (x509.load_pem_x509_csr(first).is_signature_valid, files.certificate()) == (True, None)
    for _ in range(2):
        kept = files.keep(signed(first, ROOT))
        assert files.certificate() == kept
    assert sorted(path.name for path in files.directory.iterdir()) == ["agent.key", "agent.pem"]


def test_answer_that_is_no_certificate_of_this_key_replaces_nothing(tmp_path: Path) -> None:
    files = IdentityFiles(tmp_path)
    kept = files.keep(signed(files.request(), ROOT))
    other = signed(IdentityFiles(tmp_path / "other").request(), ROOT)
    for answer in (b"", b"abc", other):
        with pytest.raises(IdentityFilesError):
            files.keep(answer)
    assert files.certificate() == kept


def test_renewal_is_due_in_the_last_third() -> None:
    start = now()
    leaf = ROOT.leaf(Wanted(begins=start, ends=start + 3 * DAY)).certificate
    ends = leaf.not_valid_after_utc
    assert [is_due(leaf, at) for at in (start, ends - DAY, ends - DAY + timedelta(seconds=1), ends)] == [False, False, True, True]
