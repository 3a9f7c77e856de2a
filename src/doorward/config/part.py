"""What the pieces of the document have in common: their shape, and the texts that occur in several of them."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

UpstreamName = Annotated[str, StringConstraints(pattern=r"^[a-z](?:-?[a-z0-9])*$", max_length=31)]
"""Lower-case letters, digits and single hyphens, at most 31: so that prefixed names split in one way only."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]
"""The name of an agent, a team or a tool: not empty."""


@dataclass(frozen=True, slots=True)
class Refers:
    """Marks a text in which references are read."""


Reference = Annotated[str, Refers()]
"""A text that may hold references such as `${env:NAME}` or `${file:path}`; resolved only when it is needed."""


class Part(BaseModel):
    """A frozen piece of the document that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)
