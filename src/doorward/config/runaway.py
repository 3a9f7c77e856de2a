"""Watching for agents that go in circles: what the document says of each rule."""

from typing import Literal

from pydantic import Field

from doorward.config.part import Part

Mode = Literal["off", "observe", "refuse"]
"""What becomes of what a rule catches: nothing, an alert, or an alert and a refusal that the model can read."""


class Circle(Part):
    """A rule: how many calls within how many seconds are too many; slower than that on average, calls may go on for ever.

    What is left out is as `docs/limits/runaway.md` has it.
    """

    mode: Mode | None = Field(
        None, description="`observe`: an alert and no more; `refuse`: the call is refused besides, in words for the model"
    )
    calls: int | None = Field(None, ge=2, le=100_000, description="Calls")
    seconds: float | None = Field(None, ge=1, le=86400, description="The time in which they are too many")


class Cap(Part):
    """A cap: at most so many calls in any stretch of so many seconds. What is left out is as `docs/limits/runaway.md` has it."""

    mode: Mode | None = Field(
        None, description="`observe`: an alert and no more; `refuse`: the call is refused besides, in words for the model"
    )
    calls: int | None = Field(None, ge=1, le=1_000_000, description="Calls")
    seconds: float | None = Field(None, ge=1, le=86400, description="The time in which there may be so many")


class Runaway(Part):
    """Agents that go in circles, each by the key, certificate or token family that it was verified by."""

    repeated: Circle = Field(
        Circle(),
        description="The same call with the same answer, where it is half or more of all that is called. Default: `refuse`, 150 in 600 s",
    )
    cycles: Circle = Field(
        Circle(),
        description="The same two to eight calls in turn, with the same answers and nothing in between; `calls` are rounds. "
        "Default: `refuse`, 60 in 300 s",
    )
    polling: Circle = Field(
        Circle(),
        description="The same call whatever it answers, where it is a quarter or more of all that is called. "
        "Default: `observe`, 360 in 3600 s",
    )
    no_progress: Circle = Field(
        Circle(),
        description="One tool with changing arguments that gives nothing but errors, or of a tool that only reads always the same answer. "
        "Default: `observe`, 100 in 600 s",
    )
    fan_out: Circle = Field(
        Circle(),
        description="Calls that were not made lately, where they are also ten times as many as is usual for this caller. "
        "Default: `observe`, 600 in 10 s",
    )
    lists: Circle = Field(
        Circle(),
        description="The same page of the same list again and again, though nothing has changed and with no call in between. "
        "Default: `observe`, 60 in 300 s",
    )
    write: Cap = Field(Cap(), description="Calls of what is in the policy group `write`. Default: `observe`, 2000 in 3600 s")
    destructive: Cap = Field(
        Cap(), description="Calls of what is in the policy group `destructive`; `write` counts them too. Default: `off`, 2000 in 3600 s"
    )
    external: Cap = Field(Cap(), description="Calls of what is in the policy group `external`. Default: `off`, 2000 in 3600 s")
