"""Amounts: a number among a call's arguments in millionths, exactly; what is no plain amount cannot be counted, and is refused. Pure."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from doorward.domain.budgets import AMOUNT_PLACES
from doorward.domain.errors import DoorwardError
from doorward.wire.alike import letters

ONE: Final = 10**AMOUNT_PLACES
"""A whole, in millionths."""
_STEPS: Final[tuple[int, ...]] = tuple(10 ** (AMOUNT_PLACES - places) for places in range(AMOUNT_PLACES + 1))
"""Millionths in the last of so many places."""
_FORMS: Final = ("%d", *[f"%d.%0{places}d" for places in range(1, AMOUNT_PLACES + 1)])
"""How a whole and its part are written with so many places."""
_TEXT = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,20}))?")
_MOST_DIGITS: Final = 40
"""Of a number: with more than this on either side of the point it is no amount."""
_SHIFT: Final[int] = 10**_MOST_DIGITS


class UncountedError(DoorwardError):
    """An amount that cannot be counted; the message completes "the number at …"."""


Path = tuple[tuple[str, str], ...]
"""The steps of a pointer, each with the letters that it is read by."""


class _Missing:
    """Nothing stands there."""


_MISSING: Final = _Missing()


def steps(pointer: str) -> Path:
    """The steps of a JSON pointer (RFC 6901)."""
    names = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    return tuple([(name, letters(name)) for name in names])


def value_at(arguments: object, path: Path) -> object:
    """What stands there; raises `UncountedError` where nothing does, or where an upstream might read another field in its place.

    Many readers of JSON take names in any letter case, some also with or without underscores, and the last of two that are alike
    counts (Go's encoding/json, for one): with an `Amount` beside its `amount`, what is counted might not be what is paid.
    """
    here = arguments
    for step, alike in path:
        # What was parsed is a plain one, and asking that first is quicker.
        if not (type(here) is dict or isinstance(here, Mapping)):
            here = _element(here, step)
            continue
        if len(here) > 1 and _is_doubled(here, step, alike):
            raise UncountedError("stands beside another field of a name that is read alike")
        here = here.get(step, _MISSING)
    if here is _MISSING:
        raise UncountedError("is missing")
    return here


def millionths(value: object, places: int) -> int:
    """A number, or a decimal text of ASCII digits, in millionths; raises `UncountedError` for anything else.

    Negative ones, and those that need more decimal places than so many, are none.
    """
    text = value if isinstance(value, str) else str(value) if isinstance(value, Decimal) else ""
    plain = _TEXT.fullmatch(text)
    if plain is not None:
        whole, part = plain.groups("")
        if len(part) > places and part[places:].strip("0"):
            raise _too_fine(places)
        part = part[:places]
        return int(whole + part) * _STEPS[len(part)]
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise UncountedError("is neither a number nor a decimal text such as 12.50")
    return _scaled(Decimal(value), places)


def _scaled(value: Decimal, places: int) -> int:
    """Any other number, in millionths."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or len(digits) > _MOST_DIGITS or abs(exponent) > _MOST_DIGITS:
        raise UncountedError("has more digits than can be counted")
    number = int("".join(map(str, digits)))
    if sign and number:
        raise UncountedError("is negative")
    # All in integers: the arithmetic of decimals rounds.
    scaled: int = number * 10 ** (exponent + AMOUNT_PLACES + _MOST_DIGITS)
    if scaled % 10 ** (AMOUNT_PLACES - places + _MOST_DIGITS):
        raise _too_fine(places)
    return scaled // _SHIFT


def written(units: int, places: int) -> str:
    """Millionths as a decimal text, with at least so many places and no more zeros than those."""
    last, finer = divmod(units, _STEPS[places])
    if units >= 0 and not finer:
        return _FORMS[places] % (divmod(last, 10**places) if places else last)
    whole, part = divmod(abs(units), ONE)
    digits = f"{part:0{AMOUNT_PLACES}d}"
    kept = max(places, len(digits.rstrip("0")))
    return f"{'-' if units < 0 else ''}{whole}{'.' if kept else ''}{digits[:kept]}"


def _too_fine(places: int) -> UncountedError:
    return UncountedError(f"has more than {places} decimal places")


def _is_doubled(names: Iterable[str], step: str, alike: str) -> bool:
    """Whether another of the names may be taken for this one."""
    least = len(alike)
    for name in names:  # noqa: SIM110 - a loop begins in half the time of a generator, and there are few names
        # ASCII is read by as many letters as it has, or fewer.
        if name != step and not (len(name) < least and name.isascii()) and letters(name) == alike:
            return True
    return False


def _element(here: object, step: str) -> object:
    if isinstance(here, list | tuple) and re.fullmatch(r"0|[1-9][0-9]{0,5}", step) and int(step) < len(here):
        return here[int(step)]
    return _MISSING
