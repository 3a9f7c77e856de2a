"""The JSON Schema of the document (2020-12), for editors: it accepts what `load` accepts the shape of."""

from doorward.config.model import Document


def json_schema() -> dict[str, object]:
    """The schema as JSON values, in a fixed order."""
    generated = {key: _closed(_untitled(value)) for key, value in Document.model_json_schema().items() if key != "title"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Doorward", **generated}


def _closed(value: object) -> object:
    """The same, with no names in mappings but those of the shape that their names must have."""
    match value:
        case dict():
            inner = {key: _closed(one) for key, one in value.items()}
            return {**inner, "additionalProperties": False} if "patternProperties" in inner else inner
        case list():
            return [_closed(one) for one in value]
        case _:
            return value


def _untitled(value: object) -> object:
    """The same without generated titles, which only repeat the fields' names."""
    match value:
        case dict():
            return {key: _untitled(inner) for key, inner in value.items() if not (key == "title" and isinstance(inner, str))}
        case list():
            return [_untitled(inner) for inner in value]
        case _:
            return value
