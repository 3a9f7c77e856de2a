"""Checks of what server processes are made of and may touch: nothing of the gateway's own is among it."""

from collections.abc import Iterator
from pathlib import Path

from doorward.config.ground import Found, Ground, error, note
from doorward.config.model import Document, Stdio
from doorward.config.problems import Step


def supplies(document: Document, ground: Ground) -> Iterator[Found]:
    """What is wrong with the pins and sandboxes of all processes."""
    for name, upstream in document.upstreams.items():
        if upstream.stdio is not None:
            yield from supply(upstream.stdio, document, ground, ("upstreams", name, "stdio"))


def supply(stdio: Stdio, document: Document, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    """What is wrong with the pin and the sandbox of a process; `at`: where its `stdio` stands."""
    if stdio.pin.digest is not None and "trust" in stdio.pin.model_fields_set:
        yield error("a digest says what is accepted, and so does trust; one of them is a mistake", *at, "pin", "trust")
    for number, path in enumerate(stdio.pin.paths):
        if not (ground.root / path).exists():
            yield note(f"there is nothing at {path}", *at, "pin", "paths", number)
    if stdio.sandbox is not None:
        every = [("read", *one) for one in enumerate(stdio.sandbox.read)] + [("write", *one) for one in enumerate(stdio.sandbox.write)]
        for field, number, path in every:
            yield from _shared((ground.root / path).resolve(), document, ground, (*at, "sandbox", field, number))


def _shared(place: Path, document: Document, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    """What is wrong with one place that a server may touch."""
    root, state = ground.root.resolve(), (ground.root / document.state).resolve()
    if place == Path("/"):
        yield error("a sandbox with everything in it is none; name what the server needs", *at)
    elif root.is_relative_to(place):
        yield error("the gateway's own configuration lies there; name what the server needs below it", *at)
    elif state.is_relative_to(place) or place.is_relative_to(state):
        yield error("the gateway's keys and database lie there, and are no server's", *at)
    elif not place.exists():
        yield note(f"there is nothing at {place}", *at)
