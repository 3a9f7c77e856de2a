"""Watching for agents that go in circles: what the document says of each rule."""

from typing import Literal

from pydantic import Field

from doorward.config.part import Part

Mode = Literal["off", "observe", "refuse"]
"""What becomes of what a rule catches: nothing, an alert, or an alert and a refusal that the model can read."""


class Circle(Part):
    """A rule: how many calls within how many seconds are too many. Slower than that on average, calls may go on for ever."""

    mode: Mode = Field(description="`observe`: an alert and no more; `refuse`: the call is refused besides, in words for the model")
    calls: int = Field(ge=2, le=100_000, description="Calls")
    seconds: float = Field(ge=1, le=86400, description="The time in which they are too many")


class Cap(Part):
    """A cap: at most so many calls in any stretch of so many seconds."""

    mode: Mode = Field(description="`observe`: an alert and no more; `refuse`: the call is refused besides, in words for the model")
    calls: int = Field(ge=1, le=1_000_000, description="Calls")
    seconds: float = Field(ge=1, le=86400, description="The time in which there may be so many")


class Runaway(Part):
    """Agents that go in circles, each by the key, certificate or token family that it was verified by."""

    repeated: Circle = Field(
        Circle(mode="refuse", calls=30, seconds=120),
        description="The same call with the same answer, where it is half or more of all that is called",
    )
    cycles: Circle = Field(
        Circle(mode="refuse", calls=20, seconds=100),
        description="The same two to four calls in turn, with the same answers and nothing in between; `calls` are rounds",
    )
    polling: Circle = Field(
        Circle(mode="observe", calls=360, seconds=3600),
        description="The same call whatever it answers, where it is a quarter or more of all that is called",
    )
    no_progress: Circle = Field(
        Circle(mode="observe", calls=100, seconds=600),
        description="One tool with changing arguments that gives nothing but errors, or of a tool that only reads always the same answer",
    )
    fan_out: Circle = Field(
        Circle(mode="observe", calls=200, seconds=10),
        description="Calls that were not made lately, where they are also ten times as many as is usual for this caller",
    )
    lists: Circle = Field(
        Circle(mode="observe", calls=60, seconds=300),
        description="The same page of the same list again and again, though nothing has changed and with no call in between",
    )
    write: Cap = Field(Cap(mode="observe", calls=2000, seconds=3600), description="Calls of what is in the policy group `write`")
    destructive: Cap = Field(
        Cap(mode="observe", calls=2000, seconds=3600), description="Calls of what is in the policy group `destructive`"
    )
    external: Cap = Field(Cap(mode="observe", calls=2000, seconds=3600), description="Calls of what is in the policy group `external`")
