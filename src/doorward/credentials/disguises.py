"""Disguises: a secret as base64, hexadecimal digits, percent-encoded or escaped in JSON: what upstreams and agents make of texts unasked.

Of secrets those spellings are known that are a few and certain (JSON); of texts those parts are read that look like the others. Both
are exact: nothing is found that is not the secret itself once it is read. What is hidden on purpose is not found (docs/credentials).
"""

import json
from binascii import a2b_base64, unhexlify
from collections.abc import Iterator, Sequence
from urllib.parse import unquote_to_bytes

from doorward.credentials.windows import SHORTEST, is_plain, piece_length, piece_of

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_HEX = b"0123456789abcdefABCDEF"
_IN_RUN, _BETWEEN = b"x", b" "
_SHORTEST_BASE64 = 16
_SHORTEST_HEX = 24
"""Characters: so many the shortest secret that is looked for has."""
_FILE = 4096
"""Characters: a longer run of base64 is a file, and begins where it begins (or behind the `\\n` that JSON writes for a new line)."""

Part = tuple[int, int, bytes]
"""From where to where in a text something stands, and what it is once it is read."""


def _marking(alphabet: bytes) -> bytes:
    return bytes((_IN_RUN if byte in alphabet else _BETWEEN)[0] for byte in range(256))


_MARKS_BASE64 = _marking(_ALPHABET)
_MARKS_HEX = _marking(_HEX)
_MARKS_WORDS = _marking(bytes(byte for byte in range(256) if byte > 32))
_STANDARD = bytes.maketrans(b"-_", b"+/")


def spellings(text: str) -> frozenset[str]:
    """A secret as it is and as JSON within JSON may write it; each differs from the first only where it has such characters."""
    if is_plain(text.encode("utf-8", "surrogatepass")):
        return frozenset({text})
    escaped = json.dumps(text, ensure_ascii=False)[1:-1]
    found = {text, escaped, escaped.replace("/", "\\/"), json.dumps(text)[1:-1]}
    # Where no piece is written alike everywhere, how the message itself is written must be known too.
    hard = {json.dumps(one, ensure_ascii=False)[1:-1] for one in found if not _has_plain_piece(one)}
    return frozenset(found | hard)


def parts(text: bytes) -> list[Part]:
    """What may be base64, hexadecimal or percent-encoded in a text, read."""
    found: list[Part] = []
    for start, end in _runs(text, _MARKS_BASE64, _SHORTEST_BASE64):
        run = text[start:end]
        if run.lower() != run:
            found += [(start, end, _base64(run[at:])) for at in _beginnings(text, start, end)]
    # Of an odd number of digits the first or the last belongs to something else.
    for start, end in _runs(text, _MARKS_HEX, _SHORTEST_HEX):
        found += [(start, end, unhexlify(text[at : at + (end - at) // 2 * 2])) for at in range(start, start + 1 + (end - start) % 2)]
    found += [(start, end, unquote_to_bytes(text[start:end])) for start, end in _words(text, b"%")]
    return found


def _beginnings(text: bytes, start: int, end: int) -> Sequence[int]:
    """Where in a run base64 may begin: something else may stand right before it, and which of four it is only shows once it is read."""
    if end - start < _FILE:
        return range(min(4, end - start - _SHORTEST_BASE64 + 1))
    return (int(text[start - 1 : start] == b"\\"),)


def _base64(run: bytes) -> bytes:
    """RFC 4648, either alphabet; padding may be there or not."""
    over = len(run) % 4
    return a2b_base64((run[:-1] if over == 1 else run + b"=" * (-len(run) % 4)).translate(_STANDARD))


def _runs(text: bytes, marks: bytes, shortest: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    marked, least = text.translate(marks), _IN_RUN * shortest
    start = marked.find(least)
    while start >= 0:
        end = marked.find(_BETWEEN, start)
        end = len(marked) if end < 0 else end
        found.append((start, end))
        start = marked.find(least, end)
    return found


def _words(text: bytes, mark: bytes) -> Iterator[tuple[int, int]]:
    """Where between white space there is such a mark."""
    at = text.find(mark)
    marked = text.translate(_MARKS_WORDS) if at >= 0 else b""
    while at >= 0:
        end = marked.find(_BETWEEN, at)
        end = len(marked) if end < 0 else end
        yield marked.rfind(_BETWEEN, 0, at) + 1, end
        at = text.find(mark, end)


def _has_plain_piece(text: str) -> bool:
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded) < SHORTEST:
        return True
    start = piece_of(encoded)
    return is_plain(encoded[start : start + piece_length(len(encoded))])
