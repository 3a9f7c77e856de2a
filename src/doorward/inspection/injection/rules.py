"""All rules, and what finds a text worth reading: programs are made when they are first asked for, once in a process."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import re2

from doorward.domain.findings import Severity
from doorward.inspection.injection import aims, orders, roles, tongues
from doorward.inspection.injection.grammar import Reading, Rule, exact, gate
from doorward.inspection.injection.words import WORDS

EVERYWHERE: tuple[Rule, ...] = (*orders.RULES, *aims.RULES, *roles.RULES, *tongues.LATIN)
RULES: tuple[Rule, ...] = (*EVERYWHERE, *tongues.BEYOND)

GRAVEST: Mapping[str, Severity] = MappingProxyType({rule.name: Severity.HIGH for rule in RULES})
"""Signs add up, so that each rule may be named by a grave finding."""

_LEADS = tuple(bytes([lead]) for lead in (0xD0, 0xD1, 0xD8, 0xD9, 0xE0, *range(0xE3, 0xEE)))
"""First octets in UTF-8 of Cyrillic, Arabic, kana, ideographs, hangul and Devanagari."""


@cache
def _gates(reading: Reading) -> tuple["re2._Regexp", "re2._Regexp"]:
    return gate(EVERYWHERE, WORDS, reading), gate(tongues.BEYOND, WORDS, reading)


@cache
def finders(reading: Reading) -> tuple[tuple[Rule, "re2._Regexp"], ...]:
    """Each rule with what finds it in UTF-8."""
    return tuple((rule, exact(rule, WORDS, reading)) for rule in RULES)


def is_suspect(text: bytes, reading: Reading = Reading.PARTED) -> bool:
    """Whether an order may stand in a text of UTF-8; without that none does."""
    everywhere, beyond = _gates(reading)
    return everywhere.search(text) is not None or (_is_beyond(text) and beyond.search(text) is not None)


def _is_beyond(text: bytes) -> bool:
    """Whether letters of the scripts that are written neither in ASCII nor in Latin are in a text."""
    return not text.isascii() and any(lead in text for lead in _LEADS)
