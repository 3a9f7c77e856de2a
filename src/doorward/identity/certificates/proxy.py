"""Client certificates that a trusted proxy has verified, in `Client-Cert` and `Client-Cert-Chain` (RFC 9440).

The proxy terminates TLS: it has checked the path and that its client has the key; what we see are its words. From anybody else
those headers are an attack, or a proxy nobody told us about: refused, never passed over.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from doorward.domain.reasons import Reason, Refused
from doorward.identity.certificate import Certificate
from doorward.identity.certificates.reader import MOST_PATH, CertificateError, described, is_for_clients, parsed
from doorward.identity.certificates.trust import Embedded

_BINARY = re.compile(rb":((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?):")
"""A byte sequence (RFC 8941 §3.3.5), in its canonical form alone: padded, no white space."""
_BETWEEN = re.compile(rb"[ \t]*,[ \t]*")
_MOST_BYTES = 16_384
_MOST_KNOWN = 1024
"""Headers remembered: reading a certificate takes a hundred times as long as finding it again."""

Network = IPv4Network | IPv6Network


class Proxies:
    """The proxies that may say who the client is."""

    __slots__ = ("_embedded", "_networks", "_now", "_read", "_trusts")

    def __init__(self, networks: Sequence[str], embedded: Embedded | None, now: Callable[[], float]) -> None:
        """`networks`: addresses or networks of proxies that verify client certificates, none for nobody; raises `ValueError`."""
        self._networks: tuple[Network, ...] = tuple(ip_network(one) for one in networks)
        self._embedded = embedded
        self._now = now
        self._read = lru_cache(_MOST_KNOWN)(self._parse)
        self._trusts = lru_cache(_MOST_KNOWN)(self._is_trusted)

    def shown(self, own: Certificate | None, network: str, leaf: bytes | None, above: bytes | None) -> Certificate | None:
        """The client's certificate: what the proxy says of it, or the connection's own where no proxy speaks. Raises as `certificate`.

        A proxy may show a certificate of its own on its connections to us: it is not the client's, and nobody's where it tells of none.
        """
        if leaf is not None or above is not None:
            return self.certificate(network, leaf, above)
        return None if self.is_one(network) else own

    def is_one(self, network: str) -> bool:
        """Whether an address is that of such a proxy."""
        return bool(self._networks) and self._trusts(network)

    def certificate(self, network: str, leaf: bytes | None, above: bytes | None) -> Certificate | None:
        """The certificate that the proxy at an address speaks of, from the two headers; None if there are none.

        Raises `Refused` INVALID_REQUEST for headers from anywhere else or of another form, UNAUTHENTICATED for a certificate that
        no client may show.
        """
        if leaf is None and above is None:
            return None
        if not self._trusts(network):
            raise Refused(Reason.INVALID_REQUEST, f"Client-Cert comes from {network[:64]!r}, which is no trusted proxy")
        if leaf is None:
            raise Refused(Reason.INVALID_REQUEST, "Client-Cert-Chain without Client-Cert")
        try:
            found, begins = self._read(leaf, above or b"")
        except (CertificateError, ValueError) as error:
            raise Refused(Reason.INVALID_REQUEST, f"the certificate in Client-Cert cannot be read: {error}") from error
        if self._now() < begins:
            raise Refused(Reason.UNAUTHENTICATED, "the certificate in Client-Cert is not valid yet")
        return found

    def _is_trusted(self, network: str) -> bool:
        try:
            address = ip_address(network)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in one for one in self._networks)

    def _parse(self, leaf: bytes, above: bytes) -> tuple[Certificate, float]:
        """The certificate, and when it begins."""
        if len(leaf) + len(above) > _MOST_BYTES:
            raise CertificateError(f"expected at most {_MOST_BYTES} bytes")
        items = [leaf.strip(b" \t"), *(_BETWEEN.split(above.strip(b" \t")) if above.strip(b" \t") else ())]
        if len(items) > MOST_PATH:
            raise CertificateError(f"expected at most {MOST_PATH} certificates, got {len(items)}")
        path = [parsed(_binary(item)) for item in items]
        if not is_for_clients(path[0]):
            raise CertificateError("expected a certificate for clients, its extended key usage says otherwise")
        found = described(path, self._authority(path[0]))
        return found, path[0].not_valid_before_utc.timestamp()

    def _authority(self, leaf: x509.Certificate) -> str:
        """Our own root, if it has issued the leaf: that we can see for ourselves; of others only the proxy knows the root."""
        if self._embedded is None:
            return ""
        try:
            leaf.verify_directly_issued_by(self._embedded.certificate)
        except (InvalidSignature, ValueError, TypeError):
            return ""
        return self._embedded.thumbprint


def _binary(item: bytes) -> bytes:
    found = _BINARY.fullmatch(item)
    if found is None:
        raise CertificateError("expected a byte sequence between colons, in base64 with padding")
    return b64decode(found[1], validate=True)
