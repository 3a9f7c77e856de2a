"""JSON pointers (RFC 6901) in which a part that is `*` alone means everything there. Pure."""

from collections.abc import Iterator

Steps = tuple[str, ...]

EACH = "*"


def steps(pointer: str) -> Steps:
    """The parts of a pointer, unescaped."""
    return tuple([part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]])


def escaped(name: str | int) -> str:
    """A part as it stands in a pointer."""
    return name.replace("~", "~0").replace("/", "~1") if isinstance(name, str) else str(name)


def reached(value: object, path: Steps) -> Iterator[object]:
    """Everything that a pointer leads to; `None` where it leads nowhere, once for each place that lacks it."""
    if not path:
        yield value
        return
    first, *rest = path
    inner = _inner(value, first)
    if inner is None:
        yield None
        return
    for one in inner:
        yield from reached(one, tuple(rest))


def _inner(value: object, step: str) -> list[object] | None:
    """What is one step below; None where nothing is."""
    if isinstance(value, dict):
        if step == EACH:
            return list(value.values())
        return [value[step]] if step in value else None
    if isinstance(value, list):
        if step == EACH:
            return value
        return [value[int(step)]] if step.isascii() and step.isdecimal() and int(step) < len(value) else None
    return None
