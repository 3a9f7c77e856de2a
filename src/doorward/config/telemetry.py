"""What is measured besides what the metrics always have."""

from pydantic import Field

from doorward.config.part import Part


class Telemetry(Part):
    """What is measured besides what the metrics always have."""

    stages: bool = Field(
        False, description="Whether `/metrics` has `doorward_stage_seconds`: the time of each stage of a call; a restart takes changes over"
    )
