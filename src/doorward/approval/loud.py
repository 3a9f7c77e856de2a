"""What the journal says of exceptions and broken glasses: of a glass, whatever becomes of it is an error line."""

from collections.abc import Callable

from doorward.domain.receipts import Event
from doorward.domain.waivers import Waiver, WaiverKind
from doorward.telemetry.journal import Journal, Level


def journaled(journal: Journal) -> Callable[[Event, Waiver], None]:
    """A follower of `Kept` that has a line for all that begins and ends."""

    def say(event: Event, waiver: Waiver) -> None:
        level = Level.ERROR if waiver.kind is WaiverKind.BREAK_GLASS else Level.INFO
        told = {"waiver": waiver.id, "agent": waiver.agent, "action": waiver.action or "everything", "ends": int(waiver.ends)}
        journal.say(event.type, level, **told, by=event.by, reason=waiver.reason)

    return say
