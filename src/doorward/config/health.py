"""When an address of an upstream is left out, and how it is asked whether it answers."""

from pydantic import Field

from doorward.config.part import Part


class HealthRules(Part):
    """When an address is left out, and how it is asked whether it answers."""

    failures: int = Field(
        5,
        ge=1,
        le=1000,
        description="In a row, after which an address is left out; the only one not for what a call may bring about, unless a probe fails too",
    )
    rest_seconds: float = Field(
        1, gt=0, le=3600, description="How long it is left out the first time; twice as long each time it fails again"
    )
    most_rest_seconds: float = Field(60, gt=0, le=86400, description="The longest time it is left out")
    probe_seconds: float = Field(15, ge=0.1, le=3600, description="Without a call for so long, an address among several is probed")
    answer_seconds: float = Field(5, gt=0, le=60, description="How long the answer to a probe may take")
