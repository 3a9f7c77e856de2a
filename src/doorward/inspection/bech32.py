"""Bech32 (BIP 173, BIP 350): the sum over the readable part and the letters of what is coded."""

LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
"""Of the coded part, in the order of their values."""
BECH32 = 1
"""The sum of BIP 173."""
BECH32M = 0x2BC830A3
"""The sum of BIP 350."""

_STEPS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def checksum(text: str) -> int | None:
    """The sum of a text in small letters, `BECH32` or `BECH32M` where it is right; none where something else than its letters is coded."""
    human, _, coded = text.rpartition("1")
    values = [ord(letter) >> 5 for letter in human] + [0] + [ord(letter) & 31 for letter in human] + [LETTERS.find(c) for c in coded]
    if min(values) < 0:
        return None
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, step in enumerate(_STEPS):
            check ^= step if top >> place & 1 else 0
    return check
