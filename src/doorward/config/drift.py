"""Which changes of accepted definitions an operator takes without a look (`drift`)."""

from typing import Literal

from pydantic import Field

from doorward.config.part import Part

Accepted = Literal["title", "optional_argument", "wording", "annotations"]


class Drift(Part):
    """What becomes of a definition that is not as it was accepted."""

    accept: tuple[Accepted, ...] = Field(
        (),
        description="Kinds of change that are accepted by themselves, where the whole difference is of these kinds and nothing new is found in it: "
        "`title`, `optional_argument` (one more, that need not be given), `wording` (descriptions), `annotations` (that claim no more harmlessness); "
        "everything else waits for a person",
    )
