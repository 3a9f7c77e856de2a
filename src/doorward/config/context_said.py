"""A context as somebody says it is: of a test, or of a call to think through."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from doorward.config.part import Part
from doorward.domain.flow import Confidentiality, Integrity

Pointer = Annotated[str, StringConstraints(pattern=r"^(?:/(?:[^~/]|~[01])*)+$", max_length=1024)]
"""A JSON pointer (RFC 6901) to something in the arguments."""


class ContextSaid(Part):
    """What has flowed into the context of a call; what is not said is as if nothing had."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    integrity: Integrity = Field(Integrity.TRUSTED, description="`untrusted`: something has been read that others may have written")
    confidentiality: Confidentiality = Field(Confidentiality.PUBLIC, description="The most confidential of what has been read")
    categories: tuple[str, ...] = Field((), max_length=256, description="Of what sort that is")
    tainted: dict[Pointer, str] = Field(
        default_factory=dict,
        max_length=1000,
        description="Texts of the arguments that stood in something untrusted before: JSON pointer, and the upstream that it came from",
    )
    calls: int = Field(0, ge=0, le=2**53, description="Calls before this one")
    writes: int = Field(0, ge=0, le=2**53, description="Of these, how many may have changed something")
    externals: int = Field(0, ge=0, le=2**53, description="Of these, how many reached outside")
    findings: tuple[str, ...] = Field((), max_length=1000, description="What was found in what it was given, as `guard/rule`")
    too_confidential: bool = Field(False, description="It holds what the target does not take")
    too_untrusted: bool = Field(False, description="It has read what the target must not be led by")
