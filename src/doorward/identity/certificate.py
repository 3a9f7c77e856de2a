"""A client certificate as the rest of the house sees it: read once a connection, its possession and path already proven."""

import msgspec


class Certificate(msgspec.Struct, frozen=True):
    """What is known of one X.509 certificate (RFC 5280) whose holder has proven that it has the key."""

    thumbprint: str
    """SHA-256 of the DER, base64url without padding: as in `cnf` `x5t#S256` (RFC 8705 §3.1)."""
    serial: int
    issuer: str
    """The issuer's distinguished name as RFC 4514 text."""
    subject: str
    """The subject's, likewise; empty if it has none."""
    uris: tuple[str, ...]
    """Subject alternative names of type URI, SPIFFE ids among them."""
    dns: tuple[str, ...]
    """Subject alternative names of type DNS, in lower case."""
    not_after: float
    """Unix seconds: an open connection ends its rights here too."""
    authority: str
    """SHA-256 of the root that its path ends in, base64url without padding; empty where a proxy has verified the path."""
    path: tuple[tuple[str, int], ...] = ()
    """Issuer's name and serial of every certificate of its path but the root, the leaf first: what a CRL can revoke."""
