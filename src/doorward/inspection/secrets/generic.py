"""Assignments to names that say secret: of medium weight where the text looks drawn, of low weight where somebody may have chosen it."""

import re2

from doorward.domain.findings import Severity
from doorward.inspection.secrets.doubt import bits, is_placeholder
from doorward.inspection.secrets.keyed import SET, is_random
from doorward.inspection.secrets.rule import UUID, Rule, characters

_STRONG = (
    r"(?:api|app|auth|access|secret|private|signing|encryption|session|master|service|client|consumer|shared|webhook|admin|bot)"
    r"[_.\- ]?(?:key|secret|token|passw(?:or)?d|credentials?)|secret|token|passw(?:or)?d|passphrase"
)
_PASSWORD = r"(?:passw(?:or)?d|passphrase|pwd)[\w.\-]*|\bpw\b|\bpass\b"
_EQUALS = r"""["'`\\\s)\]]*(?:,?["'\\\s]*value["'\\\s]*[:=]|\x00value\x01|=>|:=|[:=\x01])["'`\\\s(]*"""
"""As `SET`, without what lists and sentences are full of."""

_CHARACTERS = r"0-9A-Za-z+/=_.~\-"
_HEX = frozenset("0123456789abcdefABCDEF")
_LEAST_LENGTH = 16
_LEAST_BITS, _LEAST_BITS_OF_HEX = 3.4, 3.0

_IS_UUID = re2.compile(f"^{UUID}$")
_WORDS = re2.compile(
    r"^[A-Za-z]*(?:[_.\-/][A-Za-z]+|[_.\-/][0-9]{1,4})+$|^[a-z]+:|^/[a-z]|^[A-Za-z]\w*(?:\.[a-z_][a-z_0-9]*)+$"
    r"|\.(?:com|org|net|io|md|py|js|ts|json|txt|pem|html)\b"
)
"""Names, paths, attributes of objects: written, not drawn."""

_CODE = re2.compile(
    r"^(?:os|process|env|self|config|this|settings|secrets|vault|args|params|request|getenv|getpass|input)\b[.\[(]|[(){}\[\]<>$;]|://|^file:"
)


def _drawn(secret: str, severity: Severity) -> Severity | None:
    """What looks drawn; of low weight where it is short, even, or an id as likely as a key."""
    if not is_random(secret) or _WORDS.search(secret) is not None:
        return None
    least = _LEAST_BITS_OF_HEX if _HEX.issuperset(secret) else _LEAST_BITS
    is_weak = len(secret) < _LEAST_LENGTH or bits(secret) < least or _IS_UUID.search(secret) is not None
    return Severity.LOW if is_weak else severity


def _chosen(secret: str, severity: Severity) -> Severity | None:
    """A password by its place alone; not what is code or a word."""
    kinds = (any(map(str.isdigit, secret)), any(map(str.islower, secret)), any(map(str.isupper, secret)), not secret.isalnum())
    if sum(kinds) < 2 or (secret.replace("-", "").replace("_", "").replace(".", "").isalpha() and not kinds[2]):
        return None
    return None if is_placeholder(secret) or _CODE.search(secret) is not None or bits(secret) < 2.0 else severity


GENERIC: tuple[Rule, ...] = (
    Rule(
        "assigned_secret",
        "any",
        rf"(?P<key>[\w.\-]*(?i:{_STRONG})[\w.\-]*){SET}(?P<secret>[{_CHARACTERS}]{{12,512}})",
        rf"(?i:{_STRONG})[\w.\-]*{SET}[{_CHARACTERS}]{{12}}",
        Severity.MEDIUM,
        characters("0-9A-Za-z"),
        _drawn,
    ),
    Rule(
        "assigned_password",
        "any",
        rf"(?P<key>(?i:{_PASSWORD})){_EQUALS}(?P<secret>[^\s\"'`,;\\<>\x00\x01]{{6,128}})",
        rf"(?i:{_PASSWORD}){_EQUALS}[^\s\"'`,;<>]{{6}}",
        Severity.LOW,
        frozenset(),
        _chosen,
    ),
)
