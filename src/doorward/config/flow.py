"""Labels of what flows through, and the rules on it (`flow`, `labels`)."""

from typing import Literal

from pydantic import Field

from doorward.config.part import Name, Part
from doorward.domain.flow import Confidentiality, Integrity


class Labels(Part):
    """How far what comes from somewhere may be trusted, and how far it may go."""

    integrity: Integrity | None = Field(None, description="Whether its results may have been written by others; default: `untrusted`")
    confidentiality: Confidentiality | None = Field(None, description="How far its results may go; default: `internal`")
    categories: tuple[Name, ...] = Field((), description="Of what sort they are, such as `customer` or `health`")


class FlowRules(Part):
    """What is made of labels."""

    presets: tuple[Literal["rule_of_two", "no_untrusted_destination"], ...] = Field((), description="Policies that ship, by name")
    team: Name = Field("platform", description="The team that is asked where a preset asks")
    hours: float = Field(8, gt=0, le=720, description="How long a context keeps its labels after its last call")
