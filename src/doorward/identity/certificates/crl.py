"""What authorities have revoked (RFC 5280 §5), as one look a certificate: OpenSSL's own check would close every issuer without a list."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from doorward.config.authorities import vouch


class Revoked(msgspec.Struct, frozen=True):
    """What one issuer has revoked."""

    serials: frozenset[int]
    ends: float
    """Unix seconds. INVARIANT: from then on nothing of this issuer holds, until its next list is there."""


class Revocations(msgspec.Struct, frozen=True):
    """Every list that is in force, by the name of its issuer."""

    by_issuer: Mapping[str, Revoked] = msgspec.field(default_factory=dict)

    def fault(self, path: Sequence[tuple[str, int]], now: float) -> str | None:
        """Why a path does not hold any more; None where it does, or where nobody above it has a list."""
        for issuer, serial in path:
            revoked = self.by_issuer.get(issuer)
            if revoked is None:
                continue
            if serial in revoked.serials:
                return f"certificate {serial:x} of {issuer[:200]!r} is revoked"
            if now >= revoked.ends:
                return f"the revocation list of {issuer[:200]!r} has ended, and nothing of its is accepted until the next is there"
        return None

    def ended(self, now: float) -> tuple[str, ...]:
        """The issuers that are closed because their lists have ended: to be said loudly."""
        return tuple(sorted(issuer for issuer, revoked in self.by_issuer.items() if now >= revoked.ends))


def revocations(lists: Iterable[x509.CertificateRevocationList], authorities: Sequence[x509.Certificate], now: float) -> Revocations:
    """The lists as they count together; raises `AuthorityError` for one that nobody vouches for.

    Of several lists by one key and with one scope the newest counts. What other keys of the same name and other scopes revoke is added
    up, and ends with the first of them.
    """
    newest: dict[tuple[str, bytes, bytes], x509.CertificateRevocationList] = {}
    for one in lists:
        key = vouch(one, authorities, now).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        slot = one.issuer.rfc4514_string(), key, _scope(one)
        before = newest.get(slot)
        if before is None or before.last_update_utc <= one.last_update_utc:
            newest[slot] = one
    together: dict[str, Revoked] = {}
    for (issuer, _, _), one in newest.items():
        before_it = together.get(issuer, Revoked(frozenset(), float("inf")))
        together[issuer] = Revoked(before_it.serials | {entry.serial_number for entry in one}, min(before_it.ends, _ends(one)))
    return Revocations(together)


def _scope(one: x509.CertificateRevocationList) -> bytes:
    try:
        return one.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value.public_bytes()
    except x509.ExtensionNotFound:
        return b""


def _ends(one: x509.CertificateRevocationList) -> float:
    assert one.next_update_utc is not None, "a list that is vouched for says when it ends"
    return one.next_update_utc.timestamp()
