"""What a browser carries for us between two pages: the person's visit, and errands elsewhere that have begun (RFC 6265bis `__Host-` cookies).

An errand, such as a sign-in, is sealed into the one browser that began it: whoever comes back from elsewhere with another browser is
nobody here (CVE-2026-27124, login CSRF). LAW: each of them comes back once.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from ipaddress import ip_address
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit

import msgspec

from doorward.domain.errors import DoorwardError
from doorward.identity.sign_in import BEGUN_SECONDS, Begun
from doorward.serving.authority.visits import VISIT_SECONDS
from doorward.wire.sealed import NONCE_BYTES, Seal

LONGEST_QUERY = 2400
"""Characters of an authorization request: sealed it must go into one cookie (4,096 bytes with its name)."""
SIGN_IN, CONNECTION = "sign-in", "connect"
"""Errands of browsers."""
_ROOM = {SIGN_IN: 6000, CONNECTION: 2000}
"""Bytes of cookies for such errands of one browser (a proxy in front may take headers of 8 KiB): the oldest go."""
_LARGEST = 3900
"""Bytes of one; browsers drop what has more than 4,096 with its attributes."""
MOST_SPENT = 50_000
"""Errands that have come back and are remembered for their ten minutes; with so many, no more can be finished."""


class BusyError(DoorwardError):
    """Too many errands came back at once, or one is too large for a browser to carry."""


class Errand(Protocol):
    """What has begun elsewhere and comes back with its `state`."""

    @property
    def state(self) -> str: ...
    @property
    def at(self) -> float:
        """When it began (Unix seconds)."""
        ...


E = TypeVar("E", bound=Errand)


class Departed(msgspec.Struct, frozen=True):
    """A sign-in that has begun: what its end needs."""

    begun: Begun
    onward: str
    """The page of ours that goes on afterwards: path and query, as they were asked for."""

    @property
    def state(self) -> str:
        """As the provider sends it back."""
        return self.begun.state

    @property
    def at(self) -> float:
        """When it began (Unix seconds)."""
        return self.begun.at


class Jar:
    """How cookies are called and kept, by the public URL.

    Over https they are `__Host-` cookies: Secure, from this host alone, for this host alone. At a plain loopback URL (a trial on one
    machine) browsers would drop those, so they are ordinary ones there; every server on that machine can then see them.
    """

    __slots__ = ("_attributes", "errand", "person", "room")

    def __init__(self, public_url: str, errand: str = SIGN_IN) -> None:
        parts = urlsplit(public_url)
        if parts.scheme == "https":
            prefix, secure = "__Host-doorward-", "; Secure"
        elif parts.scheme == "http" and _is_loopback(parts.hostname or ""):
            # Cookies do not know ports; two gateways on one machine would overwrite each other's.
            prefix, secure = f"doorward-{parts.port or 80}-", ""
        else:
            raise ValueError("people can sign in only at an https url, or at an http url on loopback")
        self._attributes = f"; Path=/{secure}; HttpOnly; SameSite=Lax"
        self.person = f"{prefix}person"
        self.errand, self.room = f"{prefix}{errand}-", _ROOM[errand]

    def set(self, name: str, value: str, seconds: float) -> str:
        """A `Set-Cookie` that keeps a value."""
        return f"{name}={value}{self._attributes}; Max-Age={int(seconds)}"

    def remove(self, name: str) -> str:
        """A `Set-Cookie` that removes a cookie."""
        return f"{name}={self._attributes}; Max-Age=0"


class Sealing(msgspec.Struct, frozen=True):
    """What keeps a browser from reading or making what it carries."""

    seal: Seal
    draw: Callable[[int], bytes]
    now: Callable[[], float]


class Browsers(Generic[E]):
    """Reads and writes what browsers carry: visits, and errands of one kind."""

    __slots__ = ("_draw", "_jar", "_kind", "_most", "_now", "_seal", "_spent")

    def __init__(self, jar: Jar, sealing: Sealing, kind: type[E], most: int = MOST_SPENT) -> None:
        self._jar, self._kind, self._most = jar, kind, most
        self._seal, self._draw, self._now = sealing.seal, sealing.draw, sealing.now
        # INVARIANT: in the order of their end.
        self._spent: dict[str, float] = {}

    def adopt(self, jar: Jar) -> None:
        """Goes on with other names: the public URL has changed."""
        self._jar = jar

    def person(self, cookies: dict[str, str]) -> str:
        """The token of this browser's visit; empty if it has none."""
        return cookies.get(self._jar.person, "")

    def welcome(self, token: str) -> str:
        """The cookie of a visit."""
        return self._jar.set(self._jar.person, token, VISIT_SECONDS)

    def farewell(self) -> str:
        """Removes the cookie of a visit."""
        return self._jar.remove(self._jar.person)

    def depart(self, errand: E, cookies: dict[str, str]) -> list[str]:
        """The cookie of an errand that begins, and the removal of older ones that there is no room for; raises `BusyError`."""
        name = self._name(errand.state)
        sealed = self._seal.seal(msgspec.msgpack.encode(errand), name.encode(), self._draw(NONCE_BYTES))
        if len(name) + len(sealed) > _LARGEST:
            raise BusyError("what a browser must carry is too large for a cookie")
        room = self._jar.room - len(name) - len(sealed)
        surplus = []
        for old, size in self._others(cookies):
            room -= size
            if room < 0:
                surplus.append(self._jar.remove(old))
        return [self._jar.set(name, sealed, BEGUN_SECONDS), *surplus]

    def came_back(self, cookies: dict[str, str], state: str) -> E | None:
        """The errand that this browser began with this state; None if it did not, or is too late, or is back again. Raises `BusyError`."""
        name = self._name(state)
        errand = self._opened(name, cookies.get(name, ""))
        now = self._now()
        if errand is None or errand.state != state or now >= errand.at + BEGUN_SECONDS or name in self._spent:
            return None
        self._spend(name, now)
        return errand

    def arrived(self, state: str) -> str:
        """Removes the cookie of an errand that came back."""
        return self._jar.remove(self._name(state))

    def _spend(self, name: str, now: float) -> None:
        while self._spent and next(iter(self._spent.values())) <= now:
            del self._spent[next(iter(self._spent))]
        if len(self._spent) >= self._most:
            raise BusyError("too many errands come back at once")
        self._spent[name] = now + BEGUN_SECONDS

    def _name(self, state: str) -> str:
        """Each errand has its own cookie: clients that want several endpoints open several tabs at once."""
        return self._jar.errand + urlsafe_b64encode(sha256(state.encode()).digest()[:12]).decode()

    def _opened(self, name: str, sealed: str) -> E | None:
        plain = self._seal.open(sealed, name.encode())
        try:
            return None if plain is None else msgspec.msgpack.decode(plain, type=self._kind)
        except msgspec.MsgspecError:
            # Sealed by another version of Doorward, with the same key.
            return None

    def _others(self, cookies: dict[str, str]) -> Iterator[tuple[str, int]]:
        """Errands that this browser has begun before, the latest first, and their sizes; those that are none come last."""
        sealed = {name: value for name, value in cookies.items() if name.startswith(self._jar.errand)}
        begun = {name: errand.at for name, value in sealed.items() if (errand := self._opened(name, value)) is not None}
        for name in sorted(sealed, key=lambda name: begun.get(name, 0.0), reverse=True):
            yield name, len(name) + len(sealed[name])


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def cookies(headers: list[str]) -> dict[str, str]:
    """The cookies of a request; one that is there twice counts as absent, for somebody else may have set one of them."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for pair in ";".join(headers).split(";"):
        name, equals, value = pair.strip().partition("=")
        if not equals:
            continue
        twice.update((name,) if name in found else ())
        found[name] = value
    return {name: value for name, value in found.items() if name not in twice}
