"""What an upstream shows of itself, without any credential of ours in it: what was shown to it with the question may stand in the answer."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from doorward.upstream.sight import Item, Sight
from doorward.wire.jsonrpc import dump

Mask = Callable[[str], str]
"""Takes our own credentials out of a text."""


def discreet(sight: Sight, mask: Mask) -> Sight:
    """A sight that may be kept, reviewed and listed."""
    whole = dump(sight).decode()
    if mask(whole) == whole:
        return sight
    return replace(
        sight,
        versions=tuple(map(mask, sight.versions)),
        server_info=_object(sight.server_info, mask),
        capabilities=_object(sight.capabilities, mask),
        instructions=None if sight.instructions is None else mask(sight.instructions),
        tools=_objects(sight.tools, mask),
        prompts=_objects(sight.prompts, mask),
        resources=_objects(sight.resources, mask),
        templates=_objects(sight.templates, mask),
    )


def _objects(items: tuple[Item, ...], mask: Mask) -> tuple[Item, ...]:
    return tuple(_object(item, mask) for item in items)


def _object(value: Mapping[str, object], mask: Mask) -> Mapping[str, object]:
    return {mask(name): _masked(inner, mask) for name, inner in value.items()}


def _masked(value: object, mask: Mask) -> object:
    """The same value with masked texts; how deep it may be was bounded when it was parsed."""
    match value:
        case str():
            return mask(value)
        case Mapping():
            return _object(value, mask)
        case list():
            return [_masked(inner, mask) for inner in value]
        case _:
            return value
