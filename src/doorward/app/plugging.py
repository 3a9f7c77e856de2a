"""The guards of others that a document names, made once for each declaration and kept from one generation to the next."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from doorward.config.model import Document
from doorward.config.references import Resolver
from doorward.inspection.plugins.opening import Kept, opened, panel
from doorward.inspection.plugins.panel import Heard, Panel
from doorward.telemetry.journal import Journal, Level

Plugged = Callable[[Document], Panel]
"""The guards of others of a document; raises a `DoorwardError` where one cannot be had."""


def unplugged(document: Document) -> Panel:
    """Nobody is asked: of what does not look at messages, such as a check of policies."""
    return Panel()


class Plugging:
    """Makes the guards of others (`Plugged`): what they are made with stands in variables and files."""

    __slots__ = ("_heard", "_kept", "_resolver")

    def __init__(self, root: Path, heard: Heard) -> None:
        self._resolver = Resolver(root, os.environ)
        self._heard = heard
        self._kept: Mapping[str, Kept] = {}

    def __call__(self, document: Document) -> Panel:
        """The guards that a document names, and no other: no package is loaded that does not stand there."""
        if not document.inspection.guards and not self._kept:
            return Panel()
        self._kept = opened(document.inspection.guards, self._resolver, self._heard, self._kept)
        return panel(self._kept)


def journaled_guards(journal: Journal) -> Heard:
    """Says in the journal that a guard could not be asked."""

    def heard(name: str, rule: str, why: str) -> None:
        journal.say(rule, Level.WARNING, guard=name, why=why)

    return heard
