"""Where a connection may go: names are looked up once, every answer is checked, and only a checked address is connected to."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

from doorward.domain.reasons import Ran
from doorward.net.addresses import Address, Reach, Rule, objection
from doorward.net.errors import EgressError, NetError, Trouble
from doorward.net.urls import Origin

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the addresses of a host name as text (IPv6 may carry a `%zone`); raises OSError."""

MOST_ADDRESSES = 16
"""More answers than this are not even tried; every one of them is checked all the same."""


async def system_lookup(host: str, port: int) -> Sequence[str]:
    """The addresses that the system's resolver gives, in its order."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(_text(family, str(sockaddr[0]), sockaddr) for family, _, _, _, sockaddr in found))


def _text(family: int, host: str, sockaddr: tuple[object, ...]) -> str:
    zone = sockaddr[3] if family == socket.AF_INET6 and len(sockaddr) > 3 else 0
    return f"{host}%{zone}" if zone and "%" not in host else host


def check_scheme(origin: Origin, rule: Rule) -> None:
    """Refuses a scheme that the rule does not name; raises EgressError."""
    if origin.scheme not in rule.schemes:
        raise EgressError(f"https was expected, not {origin.scheme}; declare `plain_http` if that is meant")


def checked(answers: Sequence[str], reach: Reach) -> tuple[str, ...]:
    """The answers, if every single one may be connected to; raises EgressError. INVARIANT: one bad answer spoils all (rebinding)."""
    if not answers:
        raise EgressError("the name has no address")
    addresses = [_address(text) for text in answers]
    objections = [reason for address in addresses if (reason := objection(address, reach)) is not None]
    if objections:
        raise EgressError(objections[0])
    return tuple(str(address) for address in addresses[:MOST_ADDRESSES])


def _address(text: str) -> Address:
    try:
        return ip_address(text)
    except ValueError as error:
        raise EgressError("the resolver gave something that is no address") from error


async def resolve(origin: Origin, rule: Rule, lookup: Lookup = system_lookup) -> tuple[str, ...]:
    """The addresses to connect to, in order: the literal one, or what one lookup gave. Raises NetError; nothing was sent."""
    check_scheme(origin, rule)
    if origin.address is not None:
        return checked((str(origin.address),), rule.reach)
    try:
        answers = await lookup(origin.host, origin.port)
    except (OSError, UnicodeError) as error:
        raise NetError(Trouble.UNREACHABLE, "the name could not be looked up", Ran.NO) from error
    return checked(answers, rule.reach)
