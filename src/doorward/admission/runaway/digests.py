"""What tells one call from another, and one answer from another: fast hashes, good for one process only.

Of a call it is what policy decides on and no more: an id that a client puts into `_meta` of each call makes no other call of it.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from doorward.domain.calls import Call, Fault
from doorward.wire.canonical import canonical

_TEXT_KEYS: Final = frozenset({"type", "text"})
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


def answer_digest(body: Mapping[str, object] | Fault) -> int | None:
    """The same for answers that say the same; `_meta` says nothing here. None for one that is like no other."""
    if isinstance(body, Fault):
        return hash((body.code, body.message))
    content = body.get("content")
    if type(content) is not list or "structuredContent" in body:
        return _whole(body)
    texts = [block["text"] if type(block) is dict and block.keys() == _TEXT_KEYS else None for block in content]
    return _whole(body) if None in texts else hash((body.get("isError"), *texts))


def is_error(body: Mapping[str, object] | Fault) -> bool:
    """Whether an answer says that nothing came of the call."""
    return isinstance(body, Fault) or body.get("isError") is True


def _whole(body: Mapping[str, object]) -> int | None:
    said = {key: value for key, value in body.items() if key != "_meta"}
    try:
        return hash(_encoder.encode(said))
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        return None
