"""TLS on both sides: towards upstreams, names and certificates are always verified; towards clients, nothing is ever resumed."""

import ssl
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import msgspec

from doorward.domain.errors import DoorwardError
from doorward.net.stamps import Stamp, stamp

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:@SECLEVEL=2"
"""Of TLS 1.2, where it is spoken: forward secret and authenticated; level 2 refuses SHA-1 and RSA below 2048 bits in certificates too."""


class TlsError(DoorwardError):
    """A certificate, key or authority that TLS cannot be served with."""


class Clients(StrEnum):
    """Whether clients show certificates of their own."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


class Served(msgspec.Struct, frozen=True):
    """What a listener speaks TLS with."""

    certificate: Path
    """Its chain (PEM), its own certificate first."""
    key: Path
    minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    clients: Clients = Clients.OFF
    authorities: str = ""
    """The roots (PEM) that clients' certificates must lead to; intermediates among them only help to get there."""


class Shown(msgspec.Struct, frozen=True):
    """What a client shows of itself in TLS (RFC 8705)."""

    certificate: Path
    """Its chain (PEM), its own certificate first."""
    key: Path


def client_context(cafile: str | None = None, shown: Shown | None = None) -> ssl.SSLContext:
    """A context for one upstream, made once and kept: it trusts the system's authorities, or only those of `cafile`.

    Raises `TlsError` where what is to be shown cannot be loaded, and `OSError` where the authorities cannot.
    """
    context = ssl.create_default_context(cafile=cafile)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if shown is not None:
        _load_own(context, shown.certificate, shown.key)
    return context


Contexts = Callable[[], ssl.SSLContext]
"""The context for the next connection; raises `TlsError` or `OSError`."""


class Renewing:
    """The context of one upstream, made anew when a file of it has changed.

    A file that cannot be used, such as one that is just being replaced, does not take away what was good before.
    """

    __slots__ = ("_cafile", "_context", "_shown", "_stamps")

    def __init__(self, cafile: str | None = None, shown: Shown | None = None) -> None:
        self._cafile, self._shown = cafile, shown
        self._context: ssl.SSLContext | None = None
        self._stamps: tuple[Stamp, ...] = ()

    def __call__(self) -> ssl.SSLContext:
        """The context as its files are now; raises what `client_context` does where there was none that was good."""
        files = [] if self._cafile is None else [Path(self._cafile)]
        if self._shown is not None:
            files += [self._shown.certificate, self._shown.key]
        stamps = tuple(map(stamp, files))
        if self._context is not None and stamps == self._stamps:
            return self._context
        try:
            self._context, self._stamps = client_context(self._cafile, self._shown), stamps
        except (OSError, TlsError):
            if self._context is None:
                raise
        return self._context


def server_context(served: Served) -> ssl.SSLContext:
    """A context for a listener, made anew for each change, so that no session from before it can be resumed; raises `TlsError`.

    It gives out no tickets. OpenSSL's session cache of TLS 1.2 cannot be switched off from here: a listener refuses what is resumed.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = served.minimum
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_ciphers(_CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    _load_own(context, served.certificate, served.key)
    if served.clients is not Clients.OFF:
        context.verify_mode = ssl.CERT_REQUIRED if served.clients is Clients.REQUIRED else ssl.CERT_OPTIONAL
        _load_authorities(context, served.authorities)
    return context


def _load_own(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        # A password of no characters: OpenSSL would ask the terminal for one otherwise.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        raise TlsError(f"expected a certificate in {certificate} and its key in {key}: {_said(error)}") from error


def _load_authorities(context: ssl.SSLContext, authorities: str) -> None:
    if not authorities:
        raise TlsError("expected authorities that clients' certificates come from, there are none")
    try:
        context.load_verify_locations(cadata=authorities)
    except (OSError, ValueError) as error:
        raise TlsError(f"expected authorities in PEM: {_said(error)}") from error


def _said(error: OSError | ValueError) -> str:
    reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror if isinstance(error, OSError) else str(error)
    return str(reason or error).lower()
