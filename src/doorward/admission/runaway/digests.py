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
    said = {key: value for key, value in body.items() if key != "_meta"}
    try:
        return hash(_encoder.encode(said))
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        return None
