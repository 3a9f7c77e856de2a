"""What looks at messages and what is made of what it finds, for one generation."""

from typing import Protocol

import msgspec

from doorward.catalog.index import Index
from doorward.config.model import Document
from doorward.inspection.chain import Inspection
from doorward.inspection.plugins.panel import Panel
from doorward.policy.dispositions import Dispositions


class Screen(msgspec.Struct, frozen=True):
    """The guards in their order, and what is done about findings."""

    inspection: Inspection
    dispositions: Dispositions
    panel: Panel
    """The guards of others, which are asked after them."""


class Screens(Protocol):
    """Makes screens; keeps what is dear to make, such as compiled patterns, from one to the next."""

    def of(self, document: Document, index: Index) -> Screen:
        """The screen of a document over a catalogue; raises a `DoorwardError` where a guard that it names cannot be had."""
        ...
