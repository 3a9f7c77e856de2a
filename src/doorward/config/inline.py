"""Texts that look like a secret written out: by the form that issuers give their tokens, or by the name they are filed under."""

import math
import re
from collections import Counter

FORMS = re.compile(
    r"""(?<![A-Za-z0-9])(?:
        gh[pousr]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,} | glpat-[A-Za-z0-9_-]{16,}
      | sk-[A-Za-z0-9_-]{16,} | (?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,} | xox[abeoprs]-[A-Za-z0-9-]{8,} | xapp-[A-Za-z0-9-]{8,}
      | (?:AKIA|ASIA)[A-Z0-9]{16} | AIza[A-Za-z0-9_-]{30,} | ya29\.[A-Za-z0-9_-]{10,} | hf_[A-Za-z0-9]{20,} | npm_[A-Za-z0-9]{30,}
      | eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,} | secret_[A-Za-z0-9]{30,} | ntn_[A-Za-z0-9]{30,} | lin_api_[A-Za-z0-9]{20,}
      | -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----
      | (?:Bearer|Basic)[ ]+[A-Za-z0-9._~+/=-]{8,}
    )""",
    re.VERBOSE,
)
"""Tokens that say themselves what they are; a full list is the business of the guards, this one keeps them out of a file."""

IN_URL = re.compile(r"^[a-z][a-z0-9+.-]*://[^/?#\s@]*:[^/?#\s@]+@", re.IGNORECASE)
"""A password in an address, as in `postgres://user:password@host/`."""

NAMES = frozenset(
    "token secret secrets password passwd passphrase pass pwd pw key apikey pat credential credentials auth authorization bearer cookie".split()
)
QUALIFIED = frozenset(
    "path file dir directory id name url uri host port endpoint ttl limit method type mode level enabled version region public".split()
)
"""Words beside which `KEY` or `TOKEN` names something harmless: `TOKEN_LIMIT`, `KEY_FILE`, `PUBLIC_KEY`."""

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
HARMLESS = re.compile(r"|true|false|yes|no|on|off|none|[0-9.,:]+|(?:\.{0,2}|~)/.*", re.IGNORECASE)
RANDOM = re.compile(r"[A-Za-z0-9_\-+/=]{20,}")
PIECE = re.compile(r"(?=[0-9+/=]*[A-Za-z])(?=[A-Za-z+/=]*[0-9])[A-Za-z0-9+/=]{16,}")
"""An unbroken run of letters and digits mixed, longer than words with a number."""
BITS = 3.0
"""Entropy a character of such a run from which it is random."""
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def by_form(text: str) -> bool:
    """Whether a text holds what is a secret under any name."""
    return FORMS.search(text) is not None or IN_URL.search(text) is not None


def by_name(name: str, text: str) -> bool:
    """Whether a text filed under a name (`GITHUB_TOKEN`, `X-Api-Key`, `apiKey`) is meant as a secret."""
    if by_form(text):
        return True
    if HARMLESS.fullmatch(text):
        return False
    words = {word.lower() for word in WORD.findall(name)}
    return not words.isdisjoint(NAMES) and words.isdisjoint(QUALIFIED)


def by_look(text: str) -> bool:
    """Whether a whole text is random enough to be a secret under no telling name."""
    if UUID.fullmatch(text):
        return True
    if HARMLESS.fullmatch(text) or not RANDOM.fullmatch(text):
        return False
    return any(_entropy(piece) > BITS for piece in PIECE.findall(text))


def _entropy(text: str) -> float:
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())
