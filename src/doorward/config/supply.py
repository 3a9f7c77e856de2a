"""What a process of an upstream is made of, and what it may touch (`stdio.pin`, `stdio.sandbox`)."""

from typing import Literal

from pydantic import Field

from doorward.config.part import Part


class Sandbox(Part):
    """What a process may touch besides its own memory."""

    network: Literal["none", "all"] = Field("none", description="Whether it may use the network")
    read: tuple[str, ...] = Field((), description="Paths it may read, besides the system's programs and libraries")
    write: tuple[str, ...] = Field((), description="Paths it may write")
