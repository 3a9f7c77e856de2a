"""What the gateway answers for itself: `initialize`, `server/discover`, capabilities and instructions. Pure."""

from collections.abc import Mapping

import msgspec

from doorward import __version__
from doorward.domain.catalog import Kind, Standing
from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.runtime.snapshot import Snapshot
from doorward.wire.eras import EXCHANGE_VERSIONS, SESSION_VERSIONS

SERVER_INFO: Mapping[str, object] = {"name": "doorward", "title": "Doorward", "version": __version__}

HTTP_SESSION_VERSIONS = tuple(version for version in SESSION_VERSIONS if version >= "2025-06-18")
"""Session-era revisions spoken on the data listener; older ones have batches or another transport."""

_OFFERED = ("tools", "prompts", "resources", "completions", "logging")
"""Capabilities that reach across both eras; subscriptions, tasks and extensions are not offered."""

SUPPORTED_VERSIONS = (*EXCHANGE_VERSIONS, *HTTP_SESSION_VERSIONS)


def session_version(requested: object) -> str:
    """The revision of a new session: the client's own if it is spoken here, else the newest (2025-11-25 lifecycle)."""
    if not isinstance(requested, str):
        raise Refused(Reason.INVALID_PARAMS, "expected a string in protocolVersion")
    return requested if requested in HTTP_SESSION_VERSIONS else HTTP_SESSION_VERSIONS[0]


class Offered(msgspec.Struct, frozen=True):
    """What stands behind an endpoint for one caller."""

    snapshot: Snapshot
    upstreams: frozenset[UpstreamId]
    """Those of the endpoint of which the caller may see anything: what others can is not told."""
    endpoint: UpstreamId | None


def initialize_result(offered: Offered, version: str) -> dict[str, object]:
    """The `InitializeResult` of an endpoint."""
    return {
        "protocolVersion": version,
        "capabilities": capabilities(offered),
        "serverInfo": SERVER_INFO,
        **_instructions(offered),
    }


def discover_result(offered: Offered) -> dict[str, object]:
    """The result of `server/discover` for an endpoint."""
    return {
        "supportedVersions": list(SUPPORTED_VERSIONS),
        "capabilities": capabilities(offered),
        **_instructions(offered),
        "ttlMs": 0,
        "cacheScope": "private",
    }


def capabilities(behind: Offered) -> dict[str, object]:
    """What the upstreams behind an endpoint offer together, as far as Doorward carries it."""
    offered = {name for upstream, offer in behind.snapshot.offers.items() if upstream in behind.upstreams for name in offer.capabilities}
    shown: dict[str, object] = {}
    for name in _OFFERED:
        if name in offered:
            shown[name] = {"listChanged": True} if name in ("tools", "prompts", "resources") else {}
    return shown or {"tools": {"listChanged": True}}


def _instructions(behind: Offered) -> dict[str, object]:
    if behind.endpoint not in behind.upstreams:
        return {}
    for entry in behind.snapshot.index.entries(behind.endpoint, Kind.INSTRUCTIONS):
        text = entry.definition.body.get("instructions")
        if entry.standing is Standing.APPROVED and isinstance(text, str):
            return {"instructions": text}
    return {}
