"""Proofs of possession (DPoP, RFC 9449 §4.3): a key signs method, URL and token of each request, once.

LAW: a proof counts for one request. The same request may show it again (it is identified once more after its body was read); any other
one that does is refused, and so is every one while no room is left to remember it.
"""

from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

from doorward.identity.tokens.jws import Signed, check_signature, read_proof, refused, seconds, shown, text
from doorward.identity.tokens.keys import public_key
from doorward.net.urls import UrlError, parse_url

AGE_SECONDS: Final = 300.0
"""How far the time of a proof may lie from ours, either way."""
ALGORITHMS: Final = frozenset({"ES256", "ES384", "EdDSA", "Ed25519", "PS256", "RS256"})
"""What a proof may be signed with; also for `dpop_signing_alg_values_supported`."""
INVALID_PROOF: Final = "invalid_dpop_proof"
"""In `Refused.extra["error"]`: what the client did wrong was the proof, the token may be good (§7.1)."""
MOST: Final = 131_072
"""Proofs remembered: 200 a second for as long as each could be replayed; some 50 MB when full."""
_SHARE = 8
"""One holder may fill this part of them, so that nobody can lock all others out."""
_MOST_LATEST = 1024
"""As many requests as are under way at once: these are recognised by their digest alone."""
_JTI = 256
_TICK_SECONDS = 10.0
"""Proofs are forgotten so many seconds' worth at a time."""


class Wanted(NamedTuple):
    """What a proof must be for."""

    method: str
    url: str
    """Of the request, without query and fragment."""
    ath: str
    """Of the access token that comes with it, as `access_token_hash` gives it; empty at a token endpoint, where none does."""
    request: int
    """Tells requests apart within this process; 0 is one that nothing is known of, and shows nothing twice."""
    whose: str = ""
    """Who holds the token, and with it a share of the room for proofs, however many keys; empty: each key has a share."""


class _Shown(msgspec.Struct, frozen=True):
    """A proof that was taken."""

    digest: bytes
    """Of it and of what it was wanted for."""
    key: str
    whose: str
    """Of whose share it is."""


class Proofs:
    """The proofs shown lately. Have one for each door: what fills one must not close the other."""

    __slots__ = ("_due", "_latest", "_most", "_now", "_of_one", "_shown", "_swept")

    def __init__(self, now: Callable[[], float], most: int = MOST) -> None:
        self._now = now
        self._most = most
        self._shown: dict[bytes, _Shown] = {}
        self._latest: OrderedDict[bytes, str] = OrderedDict()
        self._of_one: dict[str, int] = {}
        self._due: dict[int, list[bytes]] = {}
        self._swept = 0

    def check(self, proof: str, wanted: Wanted, key: str | None) -> str:
        """The thumbprint (RFC 7638) of the key that signed a proof for this; raises `Refused` UNAUTHENTICATED.

        `key` is the thumbprint that it must be, None for any; the proof of another key is refused and leaves no trace.
        """
        digest = _digest(proof, wanted)
        latest = self._latest.get(digest)
        if wanted.request and latest is not None and key in (None, latest):
            return latest
        now = self._now()
        signed = read_proof(proof)
        made = _check_claims(signed, wanted, now)
        found = public_key(signed.header.get("jwk"))
        if found is None:
            raise refused("expected a public key as jwk of a DPoP proof")
        thumbprint = found.thumbprint()
        if key is not None and thumbprint != key:
            raise refused("the DPoP proof is of another key than the token is bound to")
        slot = sha256(f"{thumbprint} {signed.claims['jti']}".encode()).digest()
        before = self._shown.get(slot)
        if before is None:
            check_signature(signed, found)
            self._remember(slot, _Shown(digest, thumbprint, wanted.whose or thumbprint), now, made + AGE_SECONDS)
        elif not wanted.request or before.digest != digest:
            raise refused("the DPoP proof was shown before, in another request")
        return thumbprint

    def _remember(self, slot: bytes, shown_now: _Shown, now: float, until: float) -> None:
        """INVARIANT: nothing that could still be replayed is forgotten to make room."""
        self._forget(now)
        count = self._of_one.get(shown_now.whose, 0)
        if len(self._shown) >= self._most or count >= max(1, self._most // _SHARE):
            raise refused("no room is left to remember DPoP proofs")
        if len(self._latest) >= _MOST_LATEST:
            self._latest.popitem(last=False)
        self._latest[shown_now.digest] = shown_now.key
        self._shown[slot] = shown_now
        self._of_one[shown_now.whose] = count + 1
        # One tick later than its end, so that the whole of a tick's worth is over when it is forgotten.
        self._due.setdefault(int(until // _TICK_SECONDS) + 1, []).append(slot)

    def _forget(self, now: float) -> None:
        this = int(now // _TICK_SECONDS)
        if this == self._swept:
            return
        self._swept = this
        over = [tick for tick in self._due if tick <= this]
        for slot in [slot for tick in over for slot in self._due.pop(tick)]:
            whose = self._shown.pop(slot).whose
            self._of_one[whose] -= 1
            if not self._of_one[whose]:
                del self._of_one[whose]


def access_token_hash(token: str) -> str:
    """What `ath` says of an access token (RFC 9449 §4.2)."""
    return urlsafe_b64encode(sha256(token.encode("ascii")).digest()).rstrip(b"=").decode()


def _digest(proof: str, wanted: Wanted) -> bytes:
    """What must be the same when the same request shows a proof again."""
    parts = (str(wanted.request), wanted.method, wanted.url, wanted.ath, proof)
    return sha256("\n".join(parts).encode()).digest()


def _check_claims(signed: Signed, wanted: Wanted, now: float) -> float:
    """RFC 9449 §4.3, all but key, signature and replay: gives the time of the proof."""
    if signed.typ != "dpop+jwt" or signed.alg not in ALGORITHMS:
        raise refused(f"expected a DPoP proof (dpop+jwt) with one of {', '.join(sorted(ALGORITHMS))}, got {shown(signed.typ)}")
    claims = signed.claims
    made = _made(claims, now)
    if claims.get("htm") != wanted.method:
        raise refused(f"expected {wanted.method} as htm of a DPoP proof, got {shown(claims.get('htm'))}")
    said = claims.get("htu")
    if not isinstance(said, str) or not (said == wanted.url or _plain(said) == _plain(wanted.url)):
        raise refused(f"expected {wanted.url!r} as htu of a DPoP proof, got {shown(said)}")
    if wanted.ath and claims.get("ath") != wanted.ath:
        raise refused("the DPoP proof was made for another access token")
    return made


def _made(claims: Mapping[str, object], now: float) -> float:
    made = seconds(claims, "iat")
    if made is None or text(claims, "jti", _JTI) is None:
        raise refused("expected jti and iat in a DPoP proof")
    if not abs(now - made) < AGE_SECONDS:
        raise refused(f"expected a DPoP proof made within {AGE_SECONDS:g} seconds, this one was {now - made:.0f} ago")
    return made


def _plain(url: str) -> str:
    """A URL in its plainest spelling (RFC 3986 §6.2.2, §6.2.3): lower-case host, no default port, nothing after the path."""
    try:
        origin = parse_url(url.partition("#")[0].partition("?")[0])
    except UrlError as error:
        raise refused(f"expected an absolute url as htu of a DPoP proof: {error}") from error
    return f"{origin.scheme}://{origin.authority}{origin.target}"
