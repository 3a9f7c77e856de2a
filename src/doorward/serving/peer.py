"""Who is at the other end of a TLS connection: the client's certificate, with the path that the handshake has verified."""

import ssl
import sys
from typing import Any, cast

from doorward.domain.errors import DoorwardError
from doorward.identity.certificate import Certificate
from doorward.identity.certificates.reader import read

_DER = 2
"""`_ssl.ENCODING_DER`, the form in which Python before 3.13 gives the certificates of a path."""


class ResumedError(DoorwardError):
    """A connection that goes on with an earlier session: its certificate was looked at then, under the rules of then."""


def certificate_of(secured: ssl.SSLObject) -> Certificate | None:
    """The client certificate of a connection whose handshake is over, None if there is none.

    Raises `ResumedError`, and `CertificateError` for one that OpenSSL takes and we cannot read.
    """
    if secured.session_reused:
        raise ResumedError("expected a new TLS session, this one is resumed")
    if secured.getpeercert(binary_form=True) is None:
        return None
    return read(_path(secured))


def _path(secured: Any) -> list[bytes]:
    """The verified path, the leaf first and the root last."""
    if sys.version_info >= (3, 13):
        return cast("list[bytes]", secured.get_verified_chain())
    # The public name came with 3.13; what it calls has been there since 3.10.
    chain = secured._sslobj.get_verified_chain() or ()  # noqa: SLF001
    return [one.public_bytes(_DER) for one in chain]
