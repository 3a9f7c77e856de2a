"""What a person is asked to consent to, in plain words; what the client says of itself stays what it is: outside text. Pure."""

import re
import unicodedata
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import msgspec

from doorward.identity.authority.port import Asked, Origin
from doorward.identity.consents import goes_to_own_machine

_LONGEST: Final = 64
"""Characters of a name on a page: a longer one would push what is proven out of sight."""
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Characters that reorder, hide or break a line (Unicode general categories)."""
_SCOPE: Final = re.compile(r"mcp(?::(?P<upstream>[a-z](?:-?[a-z0-9]){0,30}))?(?P<read>:read)?")


class Standing(StrEnum):
    """How much of what a client says about itself is proven."""

    DECLARED = "declared"
    """The operators of this gateway have written it down."""
    HOST = "host"
    """It is said by the host that the code goes to."""
    NOT = "not"
    """Nothing is."""


class Question(msgspec.Struct, frozen=True):
    """What the consent page says."""

    name: str
    standing: Standing
    client: str
    """The client's id, as a person may read it."""
    host: str
    """Where the document about it is; empty for a client without one."""
    redirect: str
    """Host and port that the code goes to."""
    is_local: bool
    endpoint: str
    upstream: str
    """The one upstream that it is about; empty for all."""
    scopes: tuple[str, ...]
    """In plain words."""


def question(asked: Asked) -> Question:
    """The words for a request."""
    host = urlsplit(asked.client_id).netloc if asked.origin is Origin.DOCUMENT else ""
    path = urlsplit(asked.resource).path
    return Question(
        name=clean(asked.client_name) or "A client without a name",
        standing=_standing(asked, host),
        client=clean(asked.client_id, 256),
        host=clean(host, 256),
        redirect=clean(asked.redirect_host, 256),
        is_local=goes_to_own_machine(asked),
        endpoint=clean(asked.resource, 256),
        upstream=clean(path.removeprefix("/mcp/")) if path.startswith("/mcp/") else "",
        scopes=tuple(words(scope) for scope in asked.scopes),
    )


def _standing(asked: Asked, host: str) -> Standing:
    if asked.origin is Origin.DECLARED:
        return Standing.DECLARED
    if host and host == asked.redirect_host and not goes_to_own_machine(asked):
        return Standing.HOST
    return Standing.NOT


def words(scope: str) -> str:
    """A scope in plain words."""
    if scope == "mcp:read":
        return "Read everything: see what is there, and use what changes nothing"
    if scope == "offline_access":
        return "Stay connected without asking you each time"
    match = _SCOPE.fullmatch(scope)
    if match is None:
        return f"“{clean(scope)}”, which gives no right at this gateway"
    upstream = match["upstream"]
    if upstream is None:
        return "Use everything behind this gateway that its policy allows"
    if match["read"]:
        return f"Read on “{upstream}”: see what is there, and use what changes nothing"
    return f"Use everything on “{upstream}” that policy allows"


def clean(text: str, longest: int = _LONGEST) -> str:
    """Outside text without characters that hide or reorder others, on one line, cut."""
    seen = "".join(" " if unicodedata.category(character) in _UNSEEN else character for character in text[: 4 * longest])
    short = " ".join(seen.split())
    return short if len(short) <= longest else short[: longest - 1] + "…"
