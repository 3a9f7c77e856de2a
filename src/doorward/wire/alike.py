"""Names in JSON that some readers take for the same, of which the last one counts: what is decided on must be what they read (law 3).

Go's encoding/json is one: it takes names in any letter case. To us such names are different, so two of them side by side are refused.
"""

import unicodedata
from collections.abc import Collection


def folded(name: str) -> str:
    """A name in one letter case and width: what readers that disregard these have of it."""
    return name.lower() if name.isascii() else unicodedata.normalize("NFKC", name).upper().casefold()


def letters(name: str) -> str:
    """The same without anything but letters and digits: for readers that know a name in several styles (`total_amount`, `totalAmount`)."""
    if name.isascii() and name.isalnum():
        return name.lower()
    plain = folded(name)
    return plain if plain.isalnum() else "".join(filter(str.isalnum, plain))


def are_told_apart(names: Collection[str]) -> bool:
    """Whether everybody reads these names, which all differ, as different ones."""
    # On the way of every call: the C of `str.lower` does for nearly all of them.
    fold = str.lower if "".join(names).isascii() else folded
    return len(set(map(fold, names))) == len(names)
