"""Checks of where links may lead: upstreams that are there."""

from collections.abc import Iterator

from doorward.config.ground import Found, error
from doorward.config.model import Document
from doorward.config.problems import meant, quoted


def links(document: Document) -> Iterator[Found]:
    """Everything there is to say of `inspection.links`."""
    for name in document.inspection.links.upstreams:
        if name not in document.upstreams:
            yield error(f"there is no upstream {quoted(name)}{meant(name, document.upstreams)}", "inspection", "links", "upstreams", name)
