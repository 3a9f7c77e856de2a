"""TLS of the data listener and the trust in its clients' certificates: read together off the loop, and replaced together on it."""

import ssl
from pathlib import Path

import msgspec

from doorward.config.model import Listen, Tls
from doorward.identity.certificate import Certificate
from doorward.identity.certificates.spoiled import Spoiled
from doorward.identity.certificates.trust import Embedded, Trust, read
from doorward.net.tls import Clients, Served, server_context
from doorward.serving.listener import Listener

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class Prepared(msgspec.Struct, frozen=True):
    """Everything that the files of a listener say, read once."""

    trust: Trust
    context: ssl.SSLContext | None
    """None: plain HTTP is spoken."""


def prepared(listen: Listen, root: Path, embedded: Embedded | None, now: float) -> Prepared:
    """Reads certificate, key, authorities and revocation lists; raises `AuthorityError` or `TlsError`. Takes files and time: use a thread."""
    trust = read(listen, root, embedded, now)
    return Prepared(trust, None if listen.tls is None else context(listen.tls, root, trust.pem))


def context(tls: Tls, root: Path, authorities: str = "") -> ssl.SSLContext:
    """What a listener speaks TLS with, always a fresh one; `authorities` (PEM) of its clients' certificates. Raises `TlsError`."""
    return server_context(Served(root / tls.certificate, root / tls.key, _VERSIONS[tls.minimum], Clients(tls.clients), authorities))


class Secured:
    """The listener and what its clients' certificates are measured by."""

    __slots__ = ("_listener", "spoiled")

    def __init__(self, listener: Listener, spoiled: Spoiled) -> None:
        self._listener = listener
        self.spoiled = spoiled

    def adopt(self, found: Prepared) -> tuple[Certificate, ...]:
        """Goes on with what was read anew: open connections stay, but those whose certificate does not hold any more.

        Gives the certificates that ended here, for whoever runs their calls.
        """
        if found.context is not None:
            self._listener.reload(found.context)
        return self._cut(self.spoiled.adopt(found.trust))

    def sweep(self) -> tuple[Certificate, ...]:
        """As `adopt`, for what time alone has ended: certificates, and revocation lists."""
        return self._cut(self.spoiled.sweep())

    def withdraw(self, thumbprint: str) -> None:
        """Ends the open connections of one certificate, which an operator has revoked."""
        self._listener.cut(lambda certificate: certificate.thumbprint == thumbprint)

    def _cut(self, spoiled: tuple[Certificate, ...]) -> tuple[Certificate, ...]:
        ended = {one.thumbprint: one for one in (*spoiled, *self._listener.cut(self.spoiled.fault))}
        return tuple(ended.values())
