"""The ends of a call, in the log: stage 11, and the one exit of refusals. Whatever way a call ends, the log is told here."""

import asyncio

from doorward.call import endings
from doorward.call.asked import Track
from doorward.call.currents import Currents
from doorward.call.rooms import Rooms
from doorward.domain.errors import UnrecordedError
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.domain.receipts import Outcome, Place, Status


class Ends:
    """Tells the log how calls end."""

    __slots__ = ("_currents", "_rooms")

    def __init__(self, rooms: Rooms, currents: Currents) -> None:
        self._rooms, self._currents = rooms, currents

    async def conclude(self, track: Track, refused: Refused | None) -> None:
        """Stage 11: the outcome is queued; with `receipts: strict` it is durable before the reply leaves."""
        if track.is_concluded:
            return
        rooms = self._rooms
        now = rooms.monotonic()
        outcome = endings.outcome(track, refused, now)
        pending = self.tell(track, outcome)
        track.is_concluded = True
        end = (outcome.reason or outcome.status).value
        rooms.meter.ended(outcome.call.target.upstream, track.asked.method, end, now - track.started)
        grant = track.recorded.clearance.grant if track.recorded else None
        if grant is not None and outcome.status is Status.NOT_FORWARDED:
            rooms.desk.released(grant)
        if pending is not None:
            await self._durable(pending, Ran.YES if refused is None else refused.ran)

    def tell(self, track: Track, outcome: Outcome) -> asyncio.Future[Place] | None:
        """Queues an outcome, and with it what it gives back of budgets and what came of its context.

        Gives what its reply has to wait for; None where that need not wait.
        """
        recorder, taken = self._rooms.recorder, track.taken
        returns, left = self._rooms.budgets.settled(outcome)
        if left:
            track.left += left
        rise = self._currents.settled(track, outcome)
        is_awaited = (taken is not None and taken.is_raised) or track.asked.snapshot.document.audit.receipts == "strict"
        if not is_awaited and (rise is None or not (rise.held or rise.gone)):
            # Of counters alone, nobody needs to hear that they are durable.
            recorder.conclude_soon(outcome, returns, rise)
            return None
        written = recorder.conclude(outcome, returns, rise)
        self._currents.told(rise, written)
        return written if is_awaited else None

    async def listed(self, track: Track) -> None:
        """The one leaf of a list."""
        await self._rooms.recorder.refuse(endings.listed(track))

    async def refuse(self, track: Track, refused: Refused) -> Refused:
        """The one exit of refusals: leaves a leaf, and gives what the caller may know of it."""
        refused.detail = self._rooms.broker.mask(refused.detail)
        try:
            if track.recorded is not None:
                await self.conclude(track, refused)
            else:
                self._rooms.budgets.dropped(track.asked.id)
                self._currents.dropped(track)
                self.count(track, refused.reason.value)
                await self._rooms.recorder.refuse(endings.refusal(track, refused))
        except UnrecordedError as error:
            # Nobody is let in by a log that fails: the caller is refused all the same, and told the graver reason.
            refused = endings.unrecorded(f"{error}; was refused for {refused.reason.value}", refused.ran)
        except Refused as graver:
            refused = graver
        return endings.public(track, refused)

    def abandon(self, track: Track) -> None:
        """The caller hung up: an intent that is on record gets its outcome all the same, without waiting for anything."""
        if track.is_concluded:
            return
        gone = Refused(Reason.CANCELLED, "the caller hung up", ran=endings.ran(track))
        self.count(track, gone.reason.value)
        if track.recorded is not None:
            self.tell(track, endings.outcome(track, gone, self._rooms.monotonic()))

    def count(self, track: Track, outcome: str) -> None:
        """Counts how a message ended, and how long it took."""
        upstream = track.call.target.upstream if track.call else ""
        self._rooms.meter.ended(upstream, track.asked.method, outcome, self._rooms.monotonic() - track.started)

    async def _durable(self, pending: asyncio.Future[Place], ran: Ran) -> None:
        """Waits until an outcome is durable; raises `Refused` where it cannot be: its reply must not leave before it."""
        try:
            await asyncio.shield(pending)
        except UnrecordedError as error:
            raise endings.unrecorded(str(error), ran) from error
