"""What an upstream offers, and whether a person has accepted it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from doorward.domain.ids import Digest, TeamId, UpstreamId


class Kind(StrEnum):
    """What sort of thing a target or definition is."""

    TOOL = "tool"
    PROMPT = "prompt"
    RESOURCE = "resource"
    TEMPLATE = "template"
    INSTRUCTIONS = "instructions"
    PROGRAM = "program"
    """What a server's process is made of: program, scripts and packages with their digests. Accepted like a definition, and listed nowhere."""
    UPSTREAM = "upstream"
    """The upstream as a whole: discovery, lists and process starts of the gateway's own principal."""


class Reversibility(StrEnum):
    """What it takes to undo a tool's effect; unknown counts as irreversible (RULINGS 7)."""

    READ = "read"
    REVERSIBLE = "reversible"
    COMPENSABLE = "compensable"
    IRREVERSIBLE = "irreversible"


class Trust(StrEnum):
    """What makes a definition accepted: a person's review, or being the first one seen."""

    REVIEW = "review"
    FIRST_USE = "first-use"


class Posture(StrEnum):
    """Whether policy decides for an upstream, or is only recorded."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


class Standing(StrEnum):
    """Where a definition stands against its pin."""

    APPROVED = "approved"
    NEW = "new"
    DRIFTED = "drifted"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Definition:
    """A pinned object of an upstream, whole: every field it came with, its canonical bytes and their SHA-256."""

    upstream: UpstreamId
    kind: Kind
    name: str
    body: Mapping[str, object]
    canonical: bytes
    digest: Digest


@dataclass(frozen=True, slots=True)
class Pin:
    """The accepted digest of a definition, with the body that was accepted (for the diff and the policy schema)."""

    upstream: UpstreamId
    kind: Kind
    name: str
    digest: Digest
    canonical: bytes
    approved_by: str
    approved_at: str
    """RFC 3339, UTC."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a call is aimed at. `name` is the upstream's own name (or URI), never the advertised one."""

    upstream: UpstreamId
    kind: Kind
    name: str
    definition: Digest | None
    team: TeamId
    parents: frozenset[str]
    """Policy groups the target belongs to: any of `read`, `write`, `destructive`, `external`."""
    reversibility: Reversibility
