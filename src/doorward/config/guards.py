"""Guards of others: plug-ins that are named before they are asked (`inspection.guards`)."""

from typing import Annotated, Literal

from pydantic import Field

from doorward.config.part import Name, Part, Refers


class GuardRule(Part):
    """One plug-in, found by the name of its entry point."""

    use: Name = Field(description="The name of its entry point in the group `doorward.guards`")
    settings: Annotated[dict[str, object], Refers()] = Field(
        default_factory=dict,
        description="What it is made with, as it describes itself; references are read in its texts, `${env:…}` and `${file:…}` alone",
    )
    mode: Literal["closed", "observe"] = Field(
        "closed",
        description="`closed`: a message it fails on, or takes too long over, is refused; `observe`: its findings are only recorded",
    )
    milliseconds: int = Field(200, ge=1, le=60_000, description="How long it may look at one message")
    bytes: int = Field(
        1024 * 1024, ge=1, le=64 * 2**20, description="The largest message it is shown; a larger one counts as one it failed on"
    )
    directions: tuple[Literal["request", "response"], ...] = Field(("request", "response"), description="Which messages it is shown")
