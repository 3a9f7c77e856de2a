"""How an upstream introduces itself, and which era its answer to a probe gives away (PROTOCOL.md §1.8). Pure."""

from collections.abc import Mapping
from typing import Final

import msgspec

from doorward.domain.calls import Fault
from doorward.upstream.messages import HEADER_MISMATCH, METHOD_NOT_FOUND, UNSUPPORTED_VERSION
from doorward.upstream.sight import Introduction
from doorward.wire.eras import EXCHANGE_VERSIONS, SESSION_VERSIONS

MISSING_CAPABILITY: Final = -32021
_EXCHANGE_ONLY: Final = frozenset({HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION})
_SERVER_INFO: Final = "io.modelcontextprotocol/serverInfo"
NOT_FOUND: Final = 404
MOST_VERSIONS: Final = 32


class SpeaksExchange(msgspec.Struct, frozen=True):
    """It speaks this revision of the exchange era."""

    version: str


class SpeaksSession(msgspec.Struct, frozen=True):
    """It gave no sign of the exchange era: `initialize` is what to try."""


class SpeaksNeither(msgspec.Struct, frozen=True):
    """It names the revisions it speaks, and none of them is ours."""

    versions: tuple[str, ...]


Verdict = SpeaksExchange | SpeaksSession | SpeaksNeither


def verdict(body: Mapping[str, object] | Fault | None, status: int) -> Verdict:
    """What an answer to `server/discover` says of the era. `body` is None for what is no JSON-RPC; `status` is 200 where there is no HTTP."""
    match body:
        case Fault(code=code, data=data) if code == UNSUPPORTED_VERSION:
            supported = data.get("supported") if isinstance(data, Mapping) else None
            return _of_versions(supported) if isinstance(supported, list) else SpeaksExchange(EXCHANGE_VERSIONS[0])
        case Fault(code=code) if code in _EXCHANGE_ONLY or (code == METHOD_NOT_FOUND and status == NOT_FOUND):
            return SpeaksExchange(EXCHANGE_VERSIONS[0])
        case Mapping():
            return _of_versions(body.get("supportedVersions"))
        case _:
            return SpeaksSession()


def _of_versions(supported: object) -> Verdict:
    versions = _strings(supported)
    mutual = next((version for version in EXCHANGE_VERSIONS if version in versions), None)
    if mutual is not None:
        return SpeaksExchange(mutual)
    if not versions or any(version in SESSION_VERSIONS for version in versions):
        return SpeaksSession()
    return SpeaksNeither(versions)


def of_discovery(result: Mapping[str, object]) -> Introduction:
    """The introduction in a `DiscoverResult`; what is not of its type is left out."""
    return Introduction(
        versions=_strings(result.get("supportedVersions")),
        server_info=_mapping(_mapping(result.get("_meta")).get(_SERVER_INFO)),
        capabilities=_mapping(result.get("capabilities")),
        instructions=_text(result.get("instructions")),
    )


def of_initialization(result: Mapping[str, object]) -> Introduction:
    """The introduction in an `InitializeResult`; the one version is the negotiated one."""
    return Introduction(
        versions=_strings([result.get("protocolVersion")]),
        server_info=_mapping(result.get("serverInfo")),
        capabilities=_mapping(result.get("capabilities")),
        instructions=_text(result.get("instructions")),
    )


def _strings(value: object) -> tuple[str, ...]:
    found = value if isinstance(value, list) else []
    return tuple(item for item in found[:MOST_VERSIONS] if isinstance(item, str))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
