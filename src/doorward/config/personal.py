"""Personal data and other data of yours: found by form, by place, by word and by likeness (`inspection.personal` and its neighbours)."""

from pydantic import Field

from doorward.config.part import Part


class Personal(Part):
    """Structured personal data: what a pattern and a checksum can tell."""


class FieldRule(Part):
    """A field by its place: whatever stands there is found."""

    pointers: tuple[str, ...] = Field(
        min_length=1, description="JSON pointers into the arguments or the structured result, `*` for any one step"
    )


class DictionaryRule(Part):
    """Words and phrases that are found wherever they stand."""


class DocumentsRule(Part):
    """Documents of which parts are found wherever they stand."""
