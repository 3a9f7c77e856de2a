"""Check digits, as standards and registrars document them: whether digits can be what they look like."""

import hashlib
from collections.abc import Sequence
from datetime import date

from doorward.inspection.bech32 import BECH32, BECH32M, checksum

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32_SUMS = frozenset({BECH32, BECH32M})

_NO_DIGITS = bytes(byte for byte in range(128) if not 0x30 <= byte <= 0x39)
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""The sum of the digits of twice a digit."""

_VERHOEFF_TURN = ("0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258")
"""Verhoeff (1969): the permutation for each place, from the right."""


def digits(text: str) -> str:
    """The ASCII digits of a text."""
    return text if text.isdigit() else text.encode("ascii", "ignore").translate(None, _NO_DIGITS).decode()


def luhn(number: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    single, doubled = map(int, number[::-2]), map(int, number[-2::-2])
    return (sum(single) + sum(map(_DOUBLED.__getitem__, doubled))) % 10 == 0


def verhoeff(number: str) -> bool:
    """The dihedral check of Verhoeff (1969)."""
    check = 0
    for place, digit in enumerate(reversed(number)):
        check = _dihedral(check, int(_VERHOEFF_TURN[place % 8][int(digit)]))
    return check == 0


def _dihedral(left: int, right: int) -> int:
    """The product of two elements of D5."""
    if left < 5:
        return (left + right) % 5 if right < 5 else (left + right) % 5 + 5
    return (left - right) % 5 + 5 if right < 5 else (left - right) % 5


def weighted(number: str, weights: Sequence[int]) -> int:
    """The sum of digits times their weights."""
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))


def mod_11_10(number: str) -> bool:
    """ISO/IEC 7064, MOD 11,10."""
    product = 10
    for digit in number[:-1]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(number[-1])


def mod_97(text: str) -> bool:
    """ISO/IEC 7064, MOD 97-10, over letters and digits."""
    return int("".join(str(int(letter, 36)) for letter in text)) % 97 == 1


def mod_11_2(text: str) -> bool:
    """ISO/IEC 7064, MOD 11-2; the last may be an X."""
    product = 0
    for digit in text[:-1]:
        product = (product + int(digit)) * 2 % 11
    return (12 - product) % 11 == (10 if text[-1] in "Xx" else int(text[-1]))


def ean(number: str) -> bool:
    """The check of EAN-13: weights 1 and 3."""
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(number))) % 10 == 0


def machine_readable(text: str) -> bool:
    """ICAO 9303: the last digit checks the letters and digits before it with weights 7, 3, 1."""
    total = sum(int(letter, 36) * (7, 3, 1)[place % 3] for place, letter in enumerate(text[:-1]))
    return text[-1].isdigit() and total % 10 == int(text[-1])


def is_date(year: int, month: int, day: int) -> bool:
    """Whether there is such a day."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def is_day(day: str, month: str, year: str) -> bool:
    """Whether there is such a day in this year of any century."""
    return any(is_date(century + int(year), int(month), int(day)) for century in (1900, 2000))


def base58check(text: str) -> bool:
    """A version, 20 bytes, and the head of their double SHA-256."""
    number = 0
    for letter in text:
        number = number * 58 + _BASE58.index(letter)
    if number >= 1 << 200:
        return False
    raw = number.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()[:4] == raw[21:]


def bech32(text: str) -> bool:
    """BIP 173 and BIP 350: the polynomial over prefix and letters, which are all small or all capital."""
    low = text.lower()
    return (low == text or text.upper() == text) and checksum(low) in _BECH32_SUMS
