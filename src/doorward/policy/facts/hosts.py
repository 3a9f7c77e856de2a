"""Hosts of URLs and e-mail addresses: names as the DNS has them (UTS 46, IDNA 2008), addresses in their one canonical form."""

import re
from ipaddress import IPv4Address, IPv6Address

import idna
import msgspec

from doorward.policy.facts.kind import UnderivedError

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_UNDECIDED = frozenset("ßẞς\u200c\u200d")
"""Characters that the old IDNA maps to others and the new one keeps: two readers, two hosts."""
_LONGEST = 253


class Host(msgspec.Struct, frozen=True):
    """A host in its one form; empty where there is none."""

    name: str
    """Lower-case ASCII without a final dot; an IPv6 address stands without brackets, one that maps IPv4 as IPv4."""
    is_address: bool


def host(written: str) -> Host:
    """A host as it stands in a URL; raises `UnderivedError` for what is no host, or might be two."""
    if written.startswith("["):
        return _version_6(written)
    name = _ascii(written).lower().removesuffix(".")
    if not name or len(name) > _LONGEST:
        raise UnderivedError("its host is empty or too long")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return Host(str(_version_4(labels)), is_address=True)
    for label in labels:
        _check(label)
    return Host(name, is_address=False)


def _ascii(written: str) -> str:
    """A host with its international labels encoded; raises where old and new rules disagree."""
    if written.isascii():
        return written
    if not _UNDECIDED.isdisjoint(written):
        raise UnderivedError("its host has characters that different systems read as different hosts")
    try:
        encoded = idna.encode(written, uts46=True, transitional=False, std3_rules=True).decode()
        older = written.encode("idna").decode()
    except (UnicodeError, ValueError, IndexError):
        raise UnderivedError("its host is no international domain name") from None
    if encoded.lower() != older.lower():
        raise UnderivedError("its host has characters that different systems read as different hosts")
    return encoded


def _check(label: str) -> None:
    if not _LABEL.fullmatch(label):
        raise UnderivedError("its host is no domain name")
    if label.startswith("xn--"):
        try:
            is_canonical = idna.encode(idna.decode(label)).decode() == label
        except (UnicodeError, ValueError, IndexError):
            is_canonical = False
        if not is_canonical:
            raise UnderivedError("its host is no international domain name")


def _version_6(written: str) -> Host:
    if not written.endswith("]") or "%" in written:
        raise UnderivedError("its host is no address")
    try:
        found = IPv6Address(written[1:-1])
    except ValueError:
        raise UnderivedError("its host is no address") from None
    mapped = found.ipv4_mapped
    return Host(str(found if mapped is None else mapped), is_address=True)


def _version_4(labels: list[str]) -> IPv4Address:
    """An IPv4 address in any form that `inet_aton` and browsers know: one to four numbers, decimal, octal or hexadecimal.

    A number with a leading zero is octal to some and decimal to others: where both make an address, it is two addresses and refused.
    """
    if len(labels) > 4 or not all(_NUMBER.fullmatch(label) for label in labels):
        raise UnderivedError("its host ends in a number and is no address")
    octal, decimal = _packed([_with_octal(label) for label in labels]), _packed([_without_octal(label) for label in labels])
    if octal is None or (decimal is not None and decimal != octal):
        raise UnderivedError("its host is an address that different systems read as different ones")
    return IPv4Address(octal)


def _with_octal(label: str) -> int | None:
    if label.startswith("0x"):
        return int(label[2:] or "0", 16) if len(label) < _LONGEST else None
    if label.startswith("0"):
        return int(label, 8) if not set(label) & {"8", "9"} else None
    return int(label)


def _without_octal(label: str) -> int | None:
    return _with_octal(label) if label.startswith("0x") else int(label)


def _packed(numbers: list[int | None]) -> int | None:
    """The address that numbers make together: the last one fills what the others leave."""
    *first, last = numbers
    if last is None or any(number is None or number > 255 for number in first) or last >= 256 ** (4 - len(first)):
        return None
    total = last
    for place, number in enumerate(first):
        total += (number or 0) << (8 * (3 - place))
    return total
