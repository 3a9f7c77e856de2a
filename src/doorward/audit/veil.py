"""What the log may say of a value without saying it: pseudonyms, keyed hashes of fields, salted commitments.

Equal values give equal HMACs under one audit key, so that they can be searched for by whoever holds it; nobody else can guess
them back. Commitments are salted afresh each time, so that even equal ones differ.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice

FIELDS = 64
"""Scalar argument fields that get an HMAC of their own."""
VISITED = 1024
"""Values looked at for them; what lies behind is covered by the commitment alone."""
DEPTH = 6
"""Levels of members looked at: keeps pointers, and so leaves, short."""
SALT_BYTES = 16

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}|0|[1-9][0-9]{0,4}")
"""Member names that look like a schema's, and array indexes. Others may be values in disguise (`{"ann@example.com": 1}`)."""

Scalar = str | int | bool | Decimal
_SCALARS = (str, int, Decimal)
_NESTED = (dict, list)
_FLAT = frozenset((str, int, bool, Decimal))
_KNOWN = 4096
"""Plain names of members that are remembered: those of schemas, which calls bring again and again."""


def commitment(salt: bytes, text: bytes) -> str:
    """SHA-256 over salt and text, in hexadecimal: can be opened by who has both, and says nothing without the salt."""
    return hashlib.sha256(salt + text).hexdigest()


class Veil:
    """Keyed hashes under one audit key; each purpose in a domain of its own."""

    __slots__ = ("_inner", "_outer", "_plain", "_value")

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise ValueError(f"an audit key of 32 bytes was expected, not {len(key)}")
        # The two halves of HMAC (RFC 2104), ready to be copied. `hmac.digest` would give up Python's lock on each call and wait
        # to have it back while the writer works: ten times the cost of the hash.
        block = key.ljust(hashlib.sha256().block_size, b"\0")
        self._inner = hashlib.sha256(bytes([byte ^ 0x36 for byte in block]))
        self._outer = hashlib.sha256(bytes([byte ^ 0x5C for byte in block]))
        self._value = self._inner.copy()
        self._value.update(b"value\0")
        self._plain: dict[str, str] = {}

    def pseudonym(self, name: str) -> str:
        """The stable stand-in for a subject or actor."""
        return self._mark(b"subject\0", name)

    def value(self, value: Scalar) -> str:
        """The HMAC of a scalar, the same for the text `4711` and the number."""
        return self._hexadecimal(self._value.copy(), _text(value))

    def fields(self, arguments: Mapping[str, object]) -> dict[str, str]:
        """JSON pointer → HMAC, for the first scalars of the arguments."""
        found: dict[str, str] = {}
        if len(arguments) <= FIELDS and _FLAT.issuperset(map(type, arguments.values())):
            # Most calls' are scalars, and most of those texts.
            for name, scalar in arguments.items():
                text = scalar if type(scalar) is str else _text(scalar)
                found[self._plain.get(name) or self._member(name)] = self._hexadecimal(self._value.copy(), text)
            return found
        for pointer, value in self._scalars(arguments):
            found[pointer] = self.value(value)
            if len(found) == FIELDS:
                break
        return found

    def pointer(self, pointer: str) -> str:
        """A JSON pointer whose member names are shown only if they look like a schema's."""
        return "/".join([self._name(part) if part else "" for part in pointer.split("/")[: DEPTH + 1]])

    def _scalars(self, arguments: Mapping[str, object]) -> Iterator[tuple[str, Scalar]]:
        """Breadth first, so that many small members of one array do not crowd out the fields beside it."""
        level = self._members("", dict(arguments), VISITED)
        left = VISITED - len(level)
        for _ in range(DEPTH):
            if not level:
                return
            yield from [(pointer, value) for pointer, value in level if isinstance(value, _SCALARS)]
            nested = [(pointer, value) for pointer, value in level if isinstance(value, _NESTED)]
            level = list(islice((member for pointer, value in nested for member in self._members(pointer, value, left)), left))
            left -= len(level)

    def _members(self, pointer: str, value: "dict[str, object] | list[object]", most: int) -> list[tuple[str, object]]:
        if isinstance(value, list):
            return [(f"{pointer}/{i}", value[i]) for i in range(min(len(value), most))]
        return [(f"{pointer}/{self._name(name)}", inner) for name, inner in islice(value.items(), most)]

    def _member(self, name: str) -> str:
        """The pointer to a member of the whole."""
        pointer = "/" + self._name(name)
        if pointer[1:] == name and len(self._plain) < _KNOWN:
            self._plain[name] = pointer
        return pointer

    def _name(self, name: str) -> str:
        return name if _PLAIN.fullmatch(name) else "~h" + self._mark(b"name\0", name)[:16]

    def _mark(self, purpose: bytes, text: str) -> str:
        inner = self._inner.copy()
        inner.update(purpose)
        return self._hexadecimal(inner, text)

    def _hexadecimal(self, inner: "hashlib._Hash", text: str) -> str:
        inner.update(text.encode("utf-8", "surrogatepass"))
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.hexdigest()[:32]


def _text(scalar: object) -> str:
    """What of a scalar is hashed."""
    if isinstance(scalar, bool):
        return "true" if scalar else "false"
    return str(scalar)
