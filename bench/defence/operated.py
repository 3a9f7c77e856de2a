"""Scenarios of what operators and their machines do: a configuration that changes, a server that moves, a program that was swapped."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.defence.verdict import NOTHING, Fixture, Verdict, said, stopped
from doorward.config.load import load
from doorward.config.model import Document
from doorward.config.problems import ConfigError
from doorward.config.weaker import weaker
from doorward.domain.catalog import Kind
from doorward.domain.ids import UpstreamId
from doorward.domain.receipts import Event
from doorward.runtime.programs import NAME, Means, Programs
from doorward.stores.memory import MemoryPins
from doorward.wire.canonical import define

_SERVER = UpstreamId("server")


async def reload(fixture: Fixture) -> Verdict:
    """A configuration in place of a reviewed one, as a reload reads it: taken, taken with words about what it weakens, or not taken."""
    return _reloaded(_configured(fixture["baseline"]), _configured(fixture["current"]))


def _configured(shown: Mapping[str, Any]) -> dict[str, Any]:
    """TLS that may be left out is an upstream that may be met in the open."""
    plain = {"url": "http://api.internal/mcp", "plain_http": True, "private": True}
    upstream = {"url": "https://api.internal/mcp", "private": True} if shown["tls"] == "required" else plain
    return {"upstreams": {_SERVER: upstream}, "listen": {"allowed_hosts": shown["allowedHosts"]}}


def _reloaded(before: Mapping[str, Any], after: Mapping[str, Any]) -> Verdict:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "doorward.yaml")
        path.write_text(json.dumps({"version": 1, **after}), encoding="utf-8")
        try:
            taken = load(path).document
        except ConfigError as error:
            return stopped("; ".join(error.lines))
    sentences = weaker(Document.model_validate(before), taken)
    return said("; ".join(sentences)) if sentences else NOTHING


async def moved(fixture: Fixture) -> Verdict:
    """A server that stands elsewhere from now on under the name that it had. Who proves to be whom without having been met is not told."""
    if fixture["mode"] != "change":
        return NOTHING
    before, after = ({"upstreams": {_SERVER: {"url": f"{fixture[side]['endpoint']}/mcp"}}} for side in ("before", "after"))
    return _reloaded(before, after)


async def resolved(fixture: Fixture) -> Verdict:
    """A program that is about to be started: by its digest it is what a reviewer accepted, or nobody has accepted it."""
    reviewed = (fixture.get("signedProvenance") or {}).get("subjectDigest")
    pin: dict[str, Any] = {"trust": "review"}
    if reviewed is not None:
        pin["digest"] = define(_SERVER, Kind.PROGRAM, NAME, _manifest(fixture["entry"], reviewed)).digest
    document = Document.model_validate({"upstreams": {_SERVER: {"stdio": {"command": ["npx", "package"], "pin": pin}}}})
    told: list[Event] = []

    async def note(event: Event) -> None:
        told.append(event)

    programs = Programs(Means(MemoryPins(), note, lambda: 0.0, lambda: document))
    if await programs.accepts(_SERVER, _manifest(fixture["entry"], fixture["resolvedArtifactHash"])):
        return NOTHING
    return stopped(f"is not started: {told[0].type} of {told[0].fields['definition']}")


def _manifest(entry: Mapping[str, str], artifact: str) -> dict[str, object]:
    """What was measured; digests are shortened in scenarios, here they have their length."""
    name, _, version = entry["pointsTo"].rpartition("@")
    digest = hashlib.sha256(artifact.encode()).hexdigest()
    return {"parts": [{"sort": "package", "name": name, "version": version, "sha256": digest}]}
