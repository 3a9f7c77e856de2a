"""Hosts as browsers read them (WHATWG URL, UTS 46), whether one is written so that people read another, and which are allowed."""

import unicodedata
from collections.abc import Iterable
from functools import cache
from urllib.parse import unquote

import idna
import msgspec
import re2

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")
_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})
_LOOKALIKES = frozenset("асеорхуіјѕһԁԛԝӏԍьвгмнткλονυρταικγωηχԱսօոցհԛ")
"""Letters of other scripts that are drawn like Latin ones; a label of nothing else is read as Latin."""


class Host(msgspec.Struct, frozen=True):
    """A host in its one form; empty where there is none."""

    name: str
    is_disguised: bool
    """A person who reads it as it is written takes it for another one."""


class Allowed(msgspec.Struct, frozen=True):
    """Hosts that may be led to."""

    exact: frozenset[str] = frozenset()
    below: tuple[str, ...] = ()
    """Ends such as `.example.com`: all hosts below, not that one itself."""

    def has(self, host: str) -> bool:
        """Whether one is among them."""
        return host in self.exact or host.endswith(self.below)

    @staticmethod
    def of(patterns: Iterable[str]) -> "Allowed":
        """From names such as `docs.example.com` and `*.example.com`."""
        names = [pattern.lower() for pattern in patterns]
        below = tuple(sorted(name[1:] for name in names if name.startswith("*.")))
        return Allowed(frozenset(name for name in names if not name.startswith("*.")), below)


def host(written: str) -> Host:
    """The host that stands in the authority of a URL, without port and credentials."""
    if written.startswith("["):
        return Host(written.strip("[]").lower(), is_disguised=False)
    name = unquote(written) if "%" in written else written
    is_escaped = name != written
    name = name.lower().translate(_DOTS).strip(".")
    if _PLAIN.issuperset(name) and "xn--" not in name:
        return Host(name, is_escaped or _is_odd_number(name))
    labels = [_label(label) for label in name.split(".")]
    return Host(".".join(label.name for label in labels), is_escaped or any(label.is_disguised for label in labels))


def _label(written: str) -> Host:
    """One label of an international name."""
    if written.isascii():
        return _encoded(written) if written.startswith("xn--") else Host(written, is_disguised=False)
    folded = unicodedata.normalize("NFKC", written).casefold()
    if folded.isascii():
        return Host(folded, is_disguised=True)
    try:
        name = idna.alabel(folded).decode()
    except (UnicodeError, ValueError):
        name = folded
    return Host(name, _misleads(folded))


def _encoded(written: str) -> Host:
    try:
        return Host(written, _misleads(idna.ulabel(written)))
    except (UnicodeError, ValueError):
        return Host(written, is_disguised=False)


def _misleads(label: str) -> bool:
    letters = {letter for letter in label if letter.isalpha()}
    return bool(letters) and (letters <= _LOOKALIKES or (_others().search(label) is not None and _latin().search(label) is not None))


@cache
def _latin() -> "re2._Regexp":
    return re2.compile(r"\p{Latin}")


@cache
def _others() -> "re2._Regexp":
    return re2.compile(r"[\p{Cyrillic}\p{Greek}\p{Armenian}\p{Cherokee}]")


def _is_odd_number(name: str) -> bool:
    """Whether it is an IPv4 address that is not written as four decimal numbers."""
    labels = name.split(".")
    if not labels[-1] or not (labels[-1].isdigit() or labels[-1].startswith("0x")):
        return False
    return len(labels) != 4 or not all(label.isdigit() and (label == "0" or label[0] != "0") for label in labels)
