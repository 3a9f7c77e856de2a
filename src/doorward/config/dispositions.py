"""What is done about findings: a rule for some of them (`inspection.dispositions`)."""

from typing import Literal

from pydantic import Field

from doorward.config.part import Name, Part, UpstreamName
from doorward.domain.findings import Severity

GUARDS = (
    "size",
    "schema",
    "unicode",
    "own_secrets",
    "secrets",
    "pii",
    "fields",
    "dictionary",
    "documents",
    "injection",
    "links",
    "tricks",
    "elicitation",
    "chain",
)
"""Names that findings of Doorward's own guards bear; `chain` is what shows messages to them."""


class DispositionRule(Part):
    """Fits a finding if everything that is named here fits; what is not named fits everything."""

    guards: tuple[Name, ...] = Field((), description="Guards that report it, such as `pii` or `injection`")
    rules: tuple[Name, ...] = Field((), description="Rules of these guards, such as `email`")
    severities: tuple[Severity, ...] = Field((), description="How much it weighs")
    directions: tuple[Literal["request", "response"], ...] = Field((), description="Which way the message goes")
    agents: tuple[Name, ...] = Field((), description="Who calls")
    teams: tuple[Name, ...] = Field((), description="The team of who calls")
    upstreams: tuple[UpstreamName, ...] = Field((), description="What is called")
    tools: tuple[Name, ...] = Field((), description="Which tools, by their own names")
    pointers: tuple[Name, ...] = Field((), description="Where it stands: JSON pointers, `*` for any one step, and everything below")
    then: Literal["pass", "label", "spotlight", "mask", "ask", "block"] = Field(description="What is done")
