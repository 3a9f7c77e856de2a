"""What an index finds a leaf by: a number of 64 bits for each of its facts (`query.facts`), as short to keep as to compare.

Two facts may share a number; whoever finds by terms looks at the leaf itself again (`query.matches`).
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple

import msgspec

from doorward.audit.query import COLUMNS, Facts, Query, facts, marks_asked

_KEPT = 2048
"""Principals, and targets with what came of them, whose terms are kept: most leaves have those of a leaf before."""
_SHORT_BYTES = 2048
"""A leaf that says more of one of these is not kept."""
_RAREST_FIRST = ("call", "subject", "name", "agent", "upstream", "reason", "effect", "type")


Terms = tuple[int, ...]


class Found(NamedTuple):
    """The terms of a leaf. A term may be found more than once."""

    shared: tuple[Terms, ...]
    """Those that leaf after leaf has, in groups that come back as they are: who, and what with what came of it. No group twice."""
    own: Sequence[int]
    """Those of its call and of the values of its arguments."""


def terms(leaf: bytes) -> Found:
    """The terms of a leaf."""
    read = _decode(leaf)
    who, what = _who(read), _what(read)
    own = [_number(f"field:{value}") for value in read.arguments.fields.values()]
    if read.call is not None:
        own.append(_number(f"call:{read.call}"))
    return Found((who,) if who == what else (who, what), own)


def asked(query: Query) -> tuple[int, ...]:
    """The terms that a leaf has to have, rarest first as far as one can tell; none where a query names nothing but moments."""
    call, *others = [(column, getattr(query, column)) for column in _RAREST_FIRST]
    named = [f"{column}:{value}" if value is not None else "" for column, value in (call, *others)]
    return tuple([_number(name) for name in (named[0], *marks_asked(query), *named[1:]) if name])


def names(found: Facts) -> Iterator[str]:
    """The facts that have terms."""
    for column in COLUMNS:
        value = getattr(found, column)
        if value is not None:
            yield f"{column}:{value}"
    yield from found.marks


class _Result(msgspec.Struct, frozen=True, gc=False):
    status: msgspec.Raw = msgspec.Raw(b"null")
    reason: msgspec.Raw = msgspec.Raw(b"null")


class _Arguments(msgspec.Struct, frozen=True, gc=False):
    fields: dict[str, str] = {}


class _Leaf(msgspec.Struct, frozen=True, gc=False):
    """What leaves hardly ever share is read; the rest is taken as it stands."""

    type: msgspec.Raw
    call: str | None = None
    principal: msgspec.Raw = msgspec.Raw(b"{}")
    upstream: msgspec.Raw = msgspec.Raw(b"null")
    name: msgspec.Raw = msgspec.Raw(b"null")
    owner: msgspec.Raw = msgspec.Raw(b"null")
    arguments: _Arguments = _Arguments()
    decision: msgspec.Raw = msgspec.Raw(b"{}")
    findings: msgspec.Raw = msgspec.Raw(b"[]")
    approval: msgspec.Raw = msgspec.Raw(b"null")
    result: _Result = _Result()
    fields: msgspec.Raw = msgspec.Raw(b"{}")


_decode = msgspec.json.Decoder(_Leaf).decode
_values = msgspec.json.Decoder(tuple[msgspec.Raw, ...]).decode
_signed = Struct(">q").unpack

# What leaves have in common, as leaves of their own: the facts of the two parts are those of the whole.
_WHO = b'{"ts":"","type":%b,"principal":%b}'
_WHAT = (
    b'{"ts":"","type":%b,"upstream":%b,"name":%b,"owner":%b,"decision":%b,"result":{"status":%b,"reason":%b},'
    b'"findings":%b,"approval":%b,"fields":%b}'
)


def _who(read: _Leaf) -> Terms:
    return _of_part(_WHO, (read.type, read.principal))


def _what(read: _Leaf) -> Terms:
    result = read.result
    said = (read.type, read.upstream, read.name, read.owner, read.decision, result.status, result.reason)
    return _of_part(_WHAT, (*said, read.findings, read.approval, read.fields))


def _of_part(part: bytes, said: tuple[msgspec.Raw, ...]) -> Terms:
    """The terms of a part that says this in its places. What it says names it; it is only filled in where it is not known."""
    key = b",".join(said)
    return _kept(part, key) if len(key) <= _SHORT_BYTES else _read(part, key)


def _read(part: bytes, said: bytes) -> Terms:
    return tuple([_number(name) for name in names(facts(part % _values(b"[%b]" % said)))])


_kept = lru_cache(maxsize=_KEPT)(_read)


def _number(name: str) -> int:
    number: int = _signed(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest())[0]
    return number
