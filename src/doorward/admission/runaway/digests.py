"""What tells one call from another, and one answer from another: fast hashes, good for one process only.

Of a call it is what policy decides on and no more: an id that a client puts into `_meta` of each call makes no other call of it.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from doorward.domain.calls import Call, Fault
from doorward.wire.canonical import canonical

_BOTH: Final = 2
"""Keys of a block that is a text and no more: `type` and `text`."""
_LONG: Final = 1_024
"""Characters of a text that is told by its hash: to write it out and hash what was written costs ten times that."""
_FEW: Final = 8
_DEEP: Final = 3
"""How many members, and how far down, are looked at for long texts: there they stand, if at all."""
_encoder = msgspec.json.Encoder(decimal_format="number")


def call_digest(call: Call) -> int:
    """The same for calls of one target with the same arguments; of a list, with the same cursor."""
    extras = call.extras
    if not extras or "cursor" in extras:
        return hash(call.digest)
    # The canonical text sorts its fields, so the arguments stand before everything else.
    rest = canonical({"extras": extras, "method": call.method, "name": call.target.name, "upstream": call.target.upstream})
    head = call.canonical[: len(call.canonical) - len(rest)]
    return hash((call.method, call.target.upstream, call.target.name, head))


def fault_digest(fault: Fault) -> int:
    """The same for errors that say the same."""
    return hash((fault.code, fault.message))


def answer_digest(body: Mapping[str, object]) -> int | None:
    """The same for results that say the same; `_meta` says nothing here. None for one that is like no other."""
    content = body.get("content")
    if type(content) is not list or "structuredContent" in body:
        return _whole(body)
    said = hash(body.get("isError"))
    for block in content:
        if type(block) is not dict or len(block) != _BOTH or "type" not in block or type(text := block.get("text")) is not str:
            return _whole(body)
        said = hash((said, text))
    return said


def _whole(body: Mapping[str, object]) -> int | None:
    said = {key: _brief(value, _DEEP) for key, value in body.items() if key != "_meta"}
    try:
        return hash(_encoder.encode(said))
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        return None


def _brief(value: object, depth: int) -> object:
    """What is the same for values that are, with the hash of a long text in its place."""
    if type(value) is str:
        return hash(value) if len(value) > _LONG else value
    if depth and type(value) is dict and len(value) <= _FEW:
        return {key: _brief(one, depth - 1) for key, one in value.items()}
    if depth and type(value) is list and len(value) <= _FEW:
        return [_brief(one, depth - 1) for one in value]
    return value
