"""Sources of secrets in this house: opened as the document says, asked in the background, and closed with everything given back."""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from doorward.app import clocks, keyring
from doorward.config.mentions import mentions
from doorward.config.model import Document
from doorward.config.problems import Step
from doorward.config.references import Remote, Resolver
from doorward.credentials.fingerprints import Fingerprints
from doorward.credentials.sources.custody import Custody, Kept
from doorward.credentials.sources.held import Clocks
from doorward.credentials.sources.inventory import Inventory
from doorward.credentials.sources.opening import Ground, opened
from doorward.credentials.sources.reading import Reading
from doorward.credentials.sources.standing import Standing
from doorward.domain.ids import UpstreamId
from doorward.telemetry.journal import Journal, Level

FIRST_SECONDS = 5.0
"""How long a start waits for what the gateway itself needs of its sources; without it, it starts as well."""


class Sourcing:
    """Everything around sources that a document can change; `reading` is what others read references with."""

    __slots__ = ("_ground", "custody", "reading", "resolver", "root", "standing")

    def __init__(self, document: Document, root: Path, fingerprints: Fingerprints, journal: Journal) -> None:
        """Opens what a document declares; raises a `DoorwardError`. Nothing is asked of them yet."""
        self.root = root
        local = Resolver(root, os.environ)
        self._ground = Ground(root, local, clocks.monotonic, fingerprints.add, keyring.get)

        def tell(event: str, text: str) -> None:
            journal.say(event, Level.INFO if event == "secret_rotated" else Level.WARNING, text=fingerprints.mask(text))

        self.custody = Custody(opened(document.secrets, self._ground, {}), Clocks(clocks.monotonic, clocks.now), tell)
        self.standing = Standing(self.custody)
        self.standing.adopt(standing(document))
        self.resolver = local.beside(self.standing.value)
        self.reading = Reading(local, self.custody, self.standing)

    def opened(self, document: Document) -> Mapping[str, Kept]:
        """The sources of a document; raises a `DoorwardError`, and changes nothing."""
        return opened(document.secrets, self._ground, self.custody.sources)

    def adopt(self, document: Document, sources: Mapping[str, Kept]) -> None:
        """Goes on with another document and its sources."""
        self.custody.adopt(sources)
        self.standing.adopt(standing(document))

    def failing(self) -> int:
        """How many secrets could not be read when they last should have been."""
        return len(self.custody.troubles)

    def inventory(self, document: Callable[[], Document], used: Callable[[UpstreamId], float | None]) -> Inventory:
        """What the document in force refers to; `used`: when a credential was last leased."""
        return Inventory(document, (self.root, self._ground.resolver), self.custody, used)

    async def begin(self) -> None:
        """Reads what the gateway itself needs, and does not wait long for it."""
        try:
            async with asyncio.timeout(FIRST_SECONDS):
                await self.standing.refresh(clocks.monotonic())
        except TimeoutError:
            return  # `run` goes on with it, and `secret list` says what is missing

    async def close(self) -> None:
        """Gives everything back, within seconds."""
        await self.custody.close()


def standing(document: Document) -> Iterator[Remote]:
    """References to sources that no lease reads for itself: all but those of static credentials and of processes' environments."""
    for mention in mentions(document):
        if isinstance(mention.pointer, Remote) and not _is_leased(mention.path):
            yield mention.pointer


def _is_leased(path: tuple[Step, ...]) -> bool:
    match path:
        case ("upstreams", _, "stdio", "env", _):
            return True
        case ("upstreams", _, "credential", *_, "value" | "username" | "password"):
            return True
        case _:
            return False
