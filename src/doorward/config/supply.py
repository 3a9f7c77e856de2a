"""What a process of an upstream is made of, and what it may touch (`stdio.pin`, `stdio.sandbox`)."""

from typing import Literal

from pydantic import Field

from doorward.config.part import Part


class Pin(Part):
    """By what its program, scripts and packages are known again, before each start."""

    trust: Literal["first-use", "review", "off"] = Field(
        "first-use",
        description="What makes them accepted: having been there first, a person's review (`doorward catalog approve`), or nothing at all. "
        "Whatever was accepted and has changed holds the server back",
    )
    digest: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{64}$",
        description="The only digest that is accepted, as `doorward catalog list` shows it; nobody is asked then",
    )
    paths: tuple[str, ...] = Field(
        (),
        max_length=64,
        description="Files and directories that belong to it besides, relative to the document, such as a directory of modules",
    )


class Sandbox(Part):
    """What a process may touch besides its own program, the system's libraries and a `/tmp` of its own (bubblewrap)."""

    network: Literal["none", "all"] = Field("none", description="Whether it may use the network")
    read: tuple[str, ...] = Field((), max_length=64, description="Files and directories it may read, relative to the document")
    write: tuple[str, ...] = Field((), max_length=64, description="Files and directories it may read and write, relative to the document")
