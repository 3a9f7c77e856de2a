"""Which addresses may be connected to (IANA special-purpose registries, RFC 6890): pure, and closed unless listed as ordinary."""

from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

import msgspec

Address = IPv4Address | IPv6Address


class Reach(Enum):
    """How far an address may lie."""

    PUBLIC = "public"
    """Ordinary global unicast only."""
    PRIVATE = "private"
    """Special-use unicast as well: loopback, private, link-local and the like. An operator has said so of whoever is there."""


class Rule(msgspec.Struct, frozen=True):
    """What an operator allows for one upstream or issuer. The default allows least."""

    reach: Reach = Reach.PUBLIC
    schemes: frozenset[str] = frozenset({"https"})


STRICT: Final = Rule()

_SPECIAL_4: Final = tuple(
    (IPv4Network(network), name)
    for network, name in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "protocol assignment"),
        ("192.0.2.0/24", "documentation"),
        ("192.31.196.0/24", "AS112"),
        ("192.52.193.0/24", "AMT"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("192.175.48.0/24", "AS112"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)

_SPECIAL_6: Final = tuple(
    (IPv6Network(network), name)
    for network, name in (
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::ffff:0:0/96", "IPv4-mapped"),
        ("::/96", "IPv4-compatible"),
        ("64:ff9b::/96", "NAT64"),
        ("64:ff9b:1::/48", "local NAT64"),
        ("100::/64", "discard"),
        ("2001::/32", "Teredo"),
        ("2001::/23", "protocol assignment"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("2620:4f:8000::/48", "AS112"),
        ("3fff::/20", "documentation"),
        ("5f00::/16", "segment routing"),
        ("fc00::/7", "unique local"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)

_GLOBAL_6: Final = IPv6Network("2000::/3")
"""The only IPv6 block that holds ordinary unicast addresses (RFC 4291); all else is special, named above or not."""

_BROADCAST: Final = IPv4Address("255.255.255.255")


def special_use(address: Address) -> str | None:
    """The name of the special-use range an address lies in, or None for an ordinary one."""
    if isinstance(address, IPv4Address):
        return next((name for network, name in _SPECIAL_4 if address in network), None)
    named = next((name for network, name in _SPECIAL_6 if address in network), None)
    return named if named is not None or address in _GLOBAL_6 else "unassigned"


def embedded(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv4-mapped, IPv4-compatible, NAT64 or 6to4 address leads to."""
    if isinstance(address, IPv4Address):
        return None
    if address.sixtofour is not None:
        return address.sixtofour
    if special_use(address) in {"IPv4-mapped", "IPv4-compatible", "NAT64"}:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def is_never(address: Address) -> bool:
    """Whether no rule can allow it: unspecified (which connects to this very host), multicast or broadcast, also when embedded."""
    inner = embedded(address)
    return address.is_unspecified or address.is_multicast or address == _BROADCAST or (inner is not None and is_never(inner))


def objection(address: Address, reach: Reach) -> str | None:
    """Why an address may not be connected to, or None if it may."""
    if is_never(address):
        return f"{address} is {special_use(address)}"
    name = special_use(address)
    if name is None or reach is Reach.PRIVATE:
        return None
    return f"{address} is {name}; declare `private` if that is meant"


def parse_address(text: str) -> Address | None:
    """An address in its one canonical spelling of four decimal numbers or RFC 4291 text; None for anything else."""
    try:
        return ip_address(text)
    except ValueError:
        return None
