"""Codes that texts are written in, read: each gives what a place says, or nothing where it says no text."""

import binascii
import codecs
from collections.abc import Callable
from urllib.parse import unquote_plus

import re2

from doorward.domain.entities import unescaped

Read = Callable[[str], str | None]
"""What a place says."""

_MOST_WORDY = 0.75
"""The least share of letters and blanks in what somebody means to be read."""

_ESCAPE = re2.compile(r"(?:\\u|\\x|%u|U\+|\\u\{|0x|&#x)0{0,4}([2-7][0-9A-Fa-f])[};]?")
_NO_DIGITS = dict.fromkeys(map(ord, " :,;-\t\r\n"))
_EIGHT = re2.compile(r"[01]{8}")
_LEET = str.maketrans("01345678@$!9+|", "oieasgtbasigti")
_LEET_L = str.maketrans("01345678@$!9+|", "oleasgtbasigtl")
_SEPARATORS = " -_.*|/,~"
_AROUND = " \n\t<>()[]{}\"'`:;,.!?*"


def base64(run: str) -> str | None:
    """Base64 (RFC 4648 §4, §5), over lines, padded or not."""
    alike = run.rstrip("=").translate(_ALPHABET)
    plain = "".join(alike.split())
    whole = plain[: len(plain) - 1] if len(plain) % 4 == 1 else plain
    try:
        return binascii.a2b_base64(whole + "=" * (-len(whole) % 4)).decode("utf-8", "ignore")
    except ValueError:
        return None


_ALPHABET = {ord("-"): "+", ord("_"): "/"}


def hexadecimal(run: str) -> str | None:
    """Pairs of hexadecimal digits, with whatever between them."""
    digits = run.replace("0x", "").translate(_NO_DIGITS)
    return _wordy(bytes.fromhex(digits[: len(digits) & ~1]).decode("utf-8", "replace"))


def binary(run: str) -> str | None:
    """Octets of binary digits."""
    return _wordy(bytes(int(octet, 2) for octet in _EIGHT.findall(run)).decode("utf-8", "replace"))


def escapes(text: str) -> str | None:
    """Escapes of JSON and of programming languages."""
    read: str = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    return read


def entities(text: str) -> str | None:
    """Character references of HTML."""
    return unescaped(text)


def percent(text: str) -> str | None:
    """Percent-encoding (RFC 3986 §2.1), and `+` for blanks."""
    return unquote_plus(text, errors="replace")


def rot13(text: str) -> str | None:
    """Letters moved on by thirteen."""
    return codecs.decode(text, "rot13")


def backwards(text: str) -> str | None:
    """The text from its end."""
    return text[::-1]


def leet(text: str) -> str | None:
    """Digits and signs for letters; `1` is both of its letters."""
    words = text.split(" ")
    return " ".join(map(_unleeted, words))


def _unleeted(word: str) -> str:
    if word.isalpha() or not any(map(str.isalnum, word)):
        return word
    read = word.translate(_LEET)
    other = word.translate(_LEET_L)
    return read if read == other else f"{read} {other}" if len(word) < _SHORT else read


_SHORT = 4
"""Letters of a word in which an `l` taken for an `i` makes another word."""


def joined(run: str) -> str | None:
    """Letters that stand apart, together: what stands between most of them goes, what else there is parts words."""
    between = max(_SEPARATORS, key=run.count)
    words: list[str] = []
    word: list[str] = []
    for blank in {" ", "\n"} - {between}:
        run = run.replace(blank, f"{between}{blank}{between}")
    for token in run.split(between):
        letter = token.strip(_AROUND)
        if len(letter) == 1:
            word.append(letter)
            continue
        words.append("".join(word))
        words.append(token.strip())
        word = []
    words.append("".join(word))
    return " ".join(filter(None, words))


def _wordy(text: str) -> str | None:
    """The text, if somebody means it to be read."""
    fit = sum(1 for letter in text if letter.isalpha() or letter in " \n")
    return text if fit >= _MOST_WORDY * len(text) else None
