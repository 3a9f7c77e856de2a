"""Personal data and other data of yours: found by form, by place, by word and by likeness (`inspection.personal` and its neighbours)."""

from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, StringConstraints

from doorward.config.part import Name, Part, UpstreamName
from doorward.domain.findings import Severity

Country = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
"""ISO 3166-1 alpha-2, in lower case."""

RuleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=48)]
"""What findings are named for: `snake_case`."""


Stamp = tuple[str, int, int]
"""Path, time of change, and bytes of a file."""


class Personal(Part):
    """Structured personal data: what a form, check digits and words near it can tell."""

    off: tuple[Name, ...] = Field((), description="Rules that are not asked, by name, such as `ip_address`")
    countries: tuple[Country, ...] | None = Field(
        None,
        description="Countries whose own numbers are looked for, such as `us` and `de`; left out: of all. Cards, IBAN and e-mail have none",
    )


class FieldRule(Part):
    """A field by its place: whatever stands there is found."""

    name: RuleName = Field(description="Findings are named `field_` and this")
    pointers: tuple[str, ...] = Field(
        min_length=1, description="JSON pointers into the arguments or the structured result, `*` for any one step"
    )
    upstreams: tuple[UpstreamName, ...] = Field((), description="Of which upstreams; empty: of all")
    tools: tuple[Name, ...] = Field((), description="Of which tools, by their own names; empty: of all")
    directions: tuple[Literal["request", "response"], ...] = Field(("response",), min_length=1, description="In which messages")
    severity: Severity = Field(Severity.HIGH, description="How much such a finding weighs")


class DictionaryRule(Part):
    """Words and phrases that are found wherever they stand."""

    words: tuple[str, ...] = Field((), description="The words and phrases")
    file: str | None = Field(None, description="A file with one of them on each line, instead")
    case: Literal["ignore", "keep"] = Field("ignore", description="Whether upper and lower case are told apart (`keep`)")
    match: Literal["word", "anywhere"] = Field(
        "word", description="Whether they are found as words of their own only, or in longer ones, too"
    )
    severity: Severity = Field(Severity.HIGH, description="How much such a finding weighs")


class DocumentsRule(Part):
    """Documents of which parts are found wherever they stand."""

    files: tuple[str, ...] = Field(min_length=1, description="Text files (UTF-8), as paths or patterns such as `contracts/*.txt`")
    severity: Severity = Field(Severity.HIGH, description="How much such a finding weighs")
    _found: tuple[Stamp, ...] = PrivateAttr(())

    @property
    def found(self) -> tuple[Stamp, ...]:
        """The files that there are, as they were when the document was read."""
        return self._found

    def stamped(self, found: tuple[Stamp, ...]) -> "DocumentsRule":
        """The same, with the files that were found."""
        copy = self.model_copy()
        copy._found = found  # noqa: SLF001 -- a copy of itself
        return copy
