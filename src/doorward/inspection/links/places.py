"""Where a destination stands in a text, and who would go there: the client by itself, or somebody who follows it."""

from enum import StrEnum

import msgspec

from doorward.inspection.links.target import Target

MOST = 4_096
"""Destinations of one sort that are read in one text."""


class Manner(StrEnum):
    """Who goes there."""

    IMAGE = "image"
    """The client, to show a picture."""
    LOADED = "loaded"
    """The client, for anything else: scripts, frames, style sheets, other pages."""
    FOLLOWED = "followed"
    """A person, or a model."""


class Place(msgspec.Struct, frozen=True):
    """One destination."""

    start: int
    end: int
    manner: Manner
    target: Target
