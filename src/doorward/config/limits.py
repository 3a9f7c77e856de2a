"""Limits on how often and how many at once: what the document says of each."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from doorward.config.part import Part
from doorward.config.selection import Counted, Selection

LimitName = Annotated[str, StringConstraints(pattern=r"^[a-z](?:[-_]?[a-z0-9])*$", max_length=63)]
"""Lower-case letters, digits, single hyphens and underscores, at most 63: callers read it, also in a header field."""


class Rate(Part):
    """How often: a bucket of `burst` calls that fills at `calls` in `seconds`."""

    calls: int = Field(ge=1, le=1_000_000, description="Calls in `seconds`, in the long run")
    seconds: int = Field(60, ge=1, le=86400, description="The time in which they are there anew")
    burst: int | None = Field(None, ge=1, le=1_000_000, description="Calls that may come at once after a rest; default: as many as `calls`")


class Limit(Part):
    """One limit: exactly one of `rate` and `concurrent`."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["rate"], "properties": {"rate": {"type": "object"}}},
                {"required": ["concurrent"], "properties": {"concurrent": {"type": "integer"}}},
            ]
        }
    )

    of: Selection = Field(Selection(), description="Which calls and lists it is about; default: all")
    per: tuple[Counted, ...] = Field(("agent",), description="What is counted apart; empty: nothing, all share one counter")
    rate: Rate | None = Field(None, description="How often")
    concurrent: int | None = Field(None, ge=1, le=100_000, description="How many at the same time")
    when_unavailable: Literal["deny", "allow"] = Field(
        "deny",
        description="What becomes of a call that only reads, or a list, where its counter cannot be had; "
        "everything else is refused then, whatever stands here",
    )
