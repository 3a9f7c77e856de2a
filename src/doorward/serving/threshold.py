"""What the door concludes from a head, and what it shows of its sender: once for each head that its connection comes to know."""

from collections.abc import Callable

import msgspec

from doorward.domain.calls import Era
from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.certificate import Certificate
from doorward.identity.chain import Presented, again
from doorward.serving.arrival import VERSION, Passed, text_of
from doorward.serving.browsers import cross_origin
from doorward.serving.edge import Allowed, check_post, endpoint, fields, is_local_name
from doorward.serving.port import CONNECTION, Connection, Scope
from doorward.serving.respond import Reply
from doorward.serving.resume import Kept
from doorward.wire.eras import era_of
from doorward.wire.headers import routing
from doorward.wire.jsonrpc import Limits

_UNTOLD = (None, None)
"""What is told of certificates where nobody speaks of any."""
_FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via"})
"""Headers that say that somebody stands between the caller and us."""

Shown = Callable[[Certificate | None, str, bytes | None, bytes | None], Certificate | None]
"""The client's certificate, from that of the connection, the peer's address, `Client-Cert` and `Client-Cert-Chain`; raises `Refused`."""


def nobody_elses(own: Certificate | None, network: str, leaf: bytes | None, above: bytes | None) -> Certificate | None:
    """The connection's own certificate, where no proxy is trusted to tell of another."""
    if leaf is None and above is None:
        return own
    raise Refused(Reason.INVALID_REQUEST, "Client-Cert comes from nobody who is trusted to send it")


class Settings(msgspec.Struct, frozen=True):
    """What the door is told of its place."""

    allowed: Allowed
    is_loopback: bool
    """Whether the listener is bound to a loopback address."""
    limits: Limits = msgspec.field(default_factory=Limits)
    kept: Kept = msgspec.field(default_factory=Kept)
    beat_seconds: float = 15


class Threshold:
    """Judges heads, and tells what is presented by them."""

    __slots__ = ("_requests", "_settings", "_shown")

    def __init__(self, settings: Settings, shown: Shown) -> None:
        self._settings, self._shown = settings, shown
        self._requests = 0

    def passed(self, scope: Scope, reply: Reply) -> tuple[Passed, int | None]:
        """What follows from a head, and how long the body is if that is said beforehand; raises `EdgeError`."""
        by_name = fields(scope["headers"], self._settings.allowed)
        upstream = endpoint(scope["raw_path"], scope["query_string"])
        if b"origin" in by_name:
            reply.headers += cross_origin(by_name)
        said = None
        if scope["method"] == "POST":
            reply.takes = check_post(by_name, self._settings.limits.body_bytes)
            said = by_name.pop(b"content-length", None)
        return self._concluded(by_name, upstream, scope, reply), None if said is None else int(said)

    def _concluded(self, by_name: dict[bytes, bytes], upstream: UpstreamId | None, scope: Scope, reply: Reply) -> Passed:
        authorization, dpop = by_name.get(b"authorization"), by_name.get(b"dpop")
        return Passed(
            fields=by_name,
            endpoint=upstream,
            headers=[*reply.headers],
            # Behind a proxy on this machine every peer is loopback; who came from elsewhere is not anonymous. Not every proxy says so.
            is_near=self._settings.is_loopback and _FORWARDED.isdisjoint(by_name) and is_local_name(by_name[b"host"]),
            authorization=None if authorization is None else authorization.decode("latin-1"),
            dpop=None if dpop is None else dpop.decode("latin-1"),
            certificates=told(by_name),
            routing=routing(scope["headers"]),
            era=_spoken(text_of(by_name, VERSION)),
            takes=reply.takes,
        )

    def presented(self, passed: Passed, scope: Scope) -> Presented:
        """What a head shows of its sender when it comes first; raises `Refused`."""
        self._requests += 1
        network = scope["client"][0] if scope["client"] else ""
        passed.presented = Presented(
            authorization=passed.authorization,
            network=network,
            loopback=passed.is_near,
            endpoint=passed.endpoint,
            method=scope["method"],
            dpop=passed.dpop,
            certificate=self.certificate(passed.certificates, scope[CONNECTION], network),
            request=self._requests,
        )
        if passed.dpop is None and passed.certificates == _UNTOLD:
            # Requests are told apart by number for their proofs alone.
            passed.always = passed.presented
        return passed.presented

    def presented_again(self, passed: Passed, connection: Connection) -> Presented:
        """The same when it comes again on its connection; raises `Refused`."""
        self._requests += 1
        before = passed.presented
        assert before is not None, "a head is known once it has presented something"
        return again(before, self.certificate(passed.certificates, connection, before.network), self._requests)

    def certificate(self, told: tuple[bytes | None, bytes | None], connection: Connection, network: str) -> Certificate | None:
        """Whose certificate counts: the connection's own, or one that a trusted proxy tells of; raises `Refused`."""
        own = connection.certificate
        return None if own is None and told == _UNTOLD else self._shown(own, network, *told)


def told(by_name: dict[bytes, bytes]) -> tuple[bytes | None, bytes | None]:
    """What a proxy tells of its client's certificate."""
    return by_name.get(b"client-cert"), by_name.get(b"client-cert-chain")


def _spoken(version: str | None) -> Era | None:
    """The era of a declared revision; None for one that is not spoken here."""
    try:
        return era_of(version)
    except Refused:
        return None
