"""The spine: one way through, in one order, for every governed call (ARCHITECTURE.md, "The way of a call").

INVARIANTS: the tickets of `domain/tickets.py` are made here and nowhere else; no credential is released and no byte goes
upstream before the intent is durable; whatever way a call ends, the log is told; a refusal has one exit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from doorward.admission.gate import Seat
from doorward.admission.runaway.watch import Standing, Step
from doorward.call import endings, limits
from doorward.call.asked import Asked, Track
from doorward.call.currents import Currents
from doorward.call.ends import Ends
from doorward.call.keeping import Keeping
from doorward.call.looks import BLOCKING, Looks, blocking, questionable
from doorward.call.resolve import edited
from doorward.call.rooms import Rooms
from doorward.call.stages import Stages
from doorward.credentials.port import Use
from doorward.domain.actors import ALL_SCOPES
from doorward.domain.budgets import OverdrawnError
from doorward.domain.calls import Answer, Call, Fault, Notice, Reply
from doorward.domain.catalog import Posture
from doorward.domain.decisions import Allow, Ask, Deny
from doorward.domain.errors import UnrecordedError
from doorward.domain.findings import Finding
from doorward.domain.ids import UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.domain.receipts import Intent
from doorward.domain.tickets import Admitted, Authorized, Clearance, Inspected, Recorded
from doorward.flow.index import Read
from doorward.policy.concerns import asked, concerns
from doorward.policy.engine import observe
from doorward.policy.shown import shown
from doorward.wire.limits import Entry


class Pipeline:
    """Takes a call through every stage."""

    __slots__ = ("_currents", "_ends", "_keeping", "_looks", "_rooms", "_way", "desk", "gate", "waivers")

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self.gate: Final = rooms.gate
        """The gate of the spine, for what must be admitted before it is a call."""
        self.desk: Final = rooms.desk
        """Where people are asked, for who waits for their answer."""
        self.waivers: Final = rooms.waivers
        """What of an agent is let past policy now."""
        self._currents = Currents(rooms.contexts, rooms.moment)
        self._looks = Looks()
        self._keeping = Keeping(rooms.desk, rooms.monotonic)
        self._ends = Ends(rooms, self._currents)
        clock = rooms.clock
        self._way = Stages(
            resolve=clock.timed("resolve", self._resolve),
            admit=clock.timed("admit", rooms.gate.admit),
            authorize=clock.timed("authorize", self._authorize),
            inspect_request_now=clock.tried("inspect_request", self._inspect_request_now),
            inspect_request=clock.awaited("inspect_request", self._inspect_request),
            approve_now=clock.tried("approve", self._approve_now),
            approve=clock.awaited("approve", self._approve),
            intend=clock.awaited("intend", self._intend),
            credential_now=clock.tried("credential", self._credential_now),
            credential=clock.awaited("credential", self._credential),
            forward=clock.awaited("forward", self._forward),
            inspect_response_now=clock.tried("inspect_response", self._inspect_response_now),
            inspect_response=clock.awaited("inspect_response", self._inspect_response),
            conclude=clock.awaited("conclude", self._ends.conclude),
        )
        rooms.flight.follow(self._keeping.drop)

    async def handle(self, asked: Asked) -> Reply:
        """What the caller may see of the upstream's answer; raises `Refused`, recorded and with a reference, for every other end."""
        track, way = Track(asked, self._rooms.monotonic()), self._way
        try:
            call = track.call = way.resolve(asked)  # 2
            with way.admit(call) as seat:  # 3
                asked.limited(partial(self._left, track, seat))
                authorized = way.authorize(track, Admitted(call, seat.epoch))  # 4
                inspected = way.inspect_request_now(track, authorized) or await way.inspect_request(track, authorized)  # 5, 5b
                if self._keeping.has(inspected.authorized.admitted.call):
                    reply = await self._released(track, inspected)  # 7, for a call whose answer has waited for a person
                else:
                    clearance = way.approve_now(track, inspected) or await way.approve(track, inspected)  # 6
                    with self._watched(track, clearance) as step:
                        recorded = track.recorded = await way.intend(track, clearance)  # 7
                        lease = way.credential_now(track, recorded) or await way.credential(track, recorded)  # 8
                        answer = await way.forward(track, recorded, lease)  # 9
                        shown = way.inspect_response_now(track, recorded, answer)
                        reply = shown or await way.inspect_response(track, recorded, answer)  # 10
                        step.answered(reply.body)
                    track.left += step.left()
                track.left += seat.left()
            await way.conclude(track, None)  # 11
            return Reply(reply.body, reply.is_edited, track.left, reply.labels, reply.withheld) if track.left else reply
        except Refused as refused:
            raise await self._ends.refuse(track, refused) from refused
        except Exception as error:
            raise await self._ends.refuse(track, endings.broken(track, error)) from error
        except asyncio.CancelledError:
            self._ends.abandon(track)
            raise

    async def show(
        self, asked: Asked, view: Callable[[], Awaitable[Mapping[str, object]]]
    ) -> tuple[Mapping[str, object], tuple[Entry, ...]]:
        """A list, which policy filters entry by entry in `view`, and what is left of limits.

        It is admitted like a call, and told to the log in one leaf.
        """
        track = Track(asked, self._rooms.monotonic())
        try:
            call = track.call = self._resolve(asked)  # 2
            with self._rooms.gate.admit(call) as seat:  # 3
                asked.limited(seat.left)
                limits.check_list(call, map(UpstreamId, asked.snapshot.document.upstreams))  # 4
                self._rooms.watch.show(call, asked.snapshot.generation)
                shown = await view()
                await self._currents.listed(track, call, shown)
                await self._ends.listed(track)  # 7
                left = seat.left()
            self._ends.count(track, "listed")
            return shown, left
        except UnrecordedError as error:
            self._ends.count(track, Reason.UNRECORDED.value)
            raise endings.public(track, endings.unrecorded(str(error), Ran.NO)) from error
        except Refused as refused:
            raise await self._ends.refuse(track, refused) from refused
        except Exception as error:
            raise await self._ends.refuse(track, endings.broken(track, error)) from error

    def _resolve(self, asked: Asked) -> Call:
        """Stage 2: the call that is asked for; who asks for nothing that is there does not do so at any pace."""
        try:
            return asked.resolve()
        except Refused:
            self._rooms.gate.turned_back(asked.principal)
            raise

    def _authorize(self, track: Track, admitted: Admitted) -> Authorized:
        """Stage 4: policy says yes, or yes once approved, and the credential was not limited to less."""
        call = admitted.call
        decision = track.asked.snapshot.policies.settled(call) or self._decided(track, call)
        if call.principal.proof.scopes is not ALL_SCOPES:
            limits.check(call)
        return Authorized(admitted, decision)

    def _decided(self, track: Track, call: Call) -> Allow | Ask:
        """What policy says to a call of which it does not know that by now; raises `Refused` FORBIDDEN."""
        snapshot, rules = track.asked.snapshot, track.asked.snapshot.policies
        at = self._currents.before(track, call)
        decision = rules.decide(call, at, self._rooms.waived(call.principal))
        if rules.watches(call):
            track.observed = rules.observed(call, at)
        if not isinstance(decision, Allow) and snapshot.posture(call.target.upstream) is Posture.OBSERVE:
            decision = observe(decision)
        match decision:
            case Allow() | Ask():
                return decision
            case Deny(policies, reason, sentence):
                raise Refused(Reason.FORBIDDEN, reason, policies=policies, sentence=sentence)

    def _inspect_request_now(self, track: Track, authorized: Authorized) -> Inspected | None:
        """Stage 5, where nothing has to be waited for."""
        call = authorized.admitted.call
        looked = self._looks.request_now(track, call)
        if looked is None:
            return None
        sent, findings = looked
        return self._inspected(track, authorized, sent, findings) if findings or sent is not call else Inspected(authorized, findings)

    async def _inspect_request(self, track: Track, authorized: Authorized) -> Inspected:
        """Stage 5: guards report, policy disposes."""
        looked = await self._looks.request(track, authorized.admitted.call, blocking(track))
        return self._inspected(track, authorized, *looked)

    def _inspected(self, track: Track, authorized: Authorized, sent: Call, findings: tuple[Finding, ...]) -> Inspected:
        """What guards have looked at; an edited call is another call, and is authorized again (5b)."""
        call = authorized.admitted.call
        if sent is not call:
            track.call = sent
            authorized = self._authorize(track, Admitted(sent, authorized.admitted.epoch))
        if findings and (team := track.asked.snapshot.document.approvals.findings) is not None:
            decision = asked(authorized.decision, call.principal.agent.id, questionable(findings), team)
            authorized = Authorized(authorized.admitted, decision)
        return Inspected(authorized, findings)

    def _approve_now(self, track: Track, inspected: Inspected) -> Clearance | None:
        """Stage 6, where nobody has to be asked: there may be a credential, as far as that can be told before."""
        authorized = inspected.authorized
        self._rooms.broker.check(Use(authorized.admitted.call, track.asked.presented))
        return Clearance(inspected, None) if isinstance(authorized.decision, Allow) else None

    async def _approve(self, track: Track, inspected: Inspected) -> Clearance:
        """Stage 6: a grant for exactly this call is there; with other arguments than asked for, if approvers say so."""
        decision, call = inspected.authorized.decision, inspected.authorized.admitted.call
        assert isinstance(decision, Ask)
        self._rooms.budgets.check(call)
        facts = shown(track.asked.snapshot.policies, call, decision.policies, self._currents.still(track))
        grant = await self._rooms.desk.clear(call, decision, (*endings.told(inspected.findings), *facts))
        if grant.edited is None:
            return Clearance(inspected, grant)
        try:
            return Clearance(await self._edited(track, inspected, grant.edited), grant)
        except Refused as refused:
            raise endings.of_edit(refused, grant) from refused

    async def _edited(self, track: Track, asked_about: Inspected, arguments: bytes) -> Inspected:
        """Stages 4 and 5 for a call that approvers have edited, which is another one: what they said yes to is sent, or nothing."""
        before = asked_about.authorized
        call = track.call = edited(before.admitted.call, arguments)
        track.findings = ()
        again = await self._inspect_request(track, self._authorize(track, Admitted(call, before.admitted.epoch)))
        if again.authorized.admitted.call is not call:
            raise Refused(Reason.UNSAFE_REQUEST, "what the approvers put in would be changed before it is sent")
        asks = again.authorized.decision.policies if isinstance(again.authorized.decision, Ask) else ()
        found, lifted = (concerns(questionable(one.findings)) for one in (again, asked_about))
        if not (set(asks) <= set(before.decision.policies) and found <= lifted):
            raise Refused(Reason.FORBIDDEN, "with what the approvers put in, the call would have to be asked about anew", policies=asks)
        return again

    def _watched(self, track: Track, clearance: Clearance) -> Step:
        """The call under watch until it is answered; raises `Refused` RUNAWAY.

        That is so late because nobody is refused here what people have said yes to, nor told of anything that policy would hide.
        """
        standing = track.asked.standing if clearance.grant is None else Standing.PROMISED
        return self._rooms.watch.admit(clearance.inspected.authorized.admitted.call, standing)

    async def _intend(self, track: Track, clearance: Clearance, *, sent: bool = True) -> Recorded:
        """Stage 7: the intent is durable, the grant consumed and budgets drawn on with it; or nothing happens."""
        inspected, rooms, snapshot = clearance.inspected, self._rooms, track.asked.snapshot
        call = inspected.authorized.admitted.call
        kind, draws = (rooms.broker.kind(call), rooms.budgets.draw(call)) if sent else ("none", ())
        rise = track.rise = self._currents.rise(call)
        intent = Intent(
            call,
            inspected.authorized.decision,
            inspected.findings,
            clearance.grant,
            kind,
            snapshot.generation,
            track.asked.trace,
            snapshot.policies.digest,
            track.observed,
            draws,
            None if track.flowing is None else track.flowing.read(),
            rise,
        )
        try:
            await rooms.recorder.intend(intent)
        except (OverdrawnError, UnrecordedError) as error:
            raise self._unwritten(call, error) from error
        except Refused:
            if clearance.grant is not None:
                self._rooms.desk.gone(clearance.grant)
            raise
        except asyncio.CancelledError:
            # The intent may become durable all the same: its outcome follows it in the same queue.
            self._ends.tell(track, endings.not_forwarded(track, call, Reason.CANCELLED, self._rooms.monotonic()))
            raise
        if rise is not None and (rise.held or rise.gone):
            # Of counters alone, nobody needs to hear that they are durable.
            self._currents.rose(rise)
        if clearance.grant is not None:
            self._rooms.desk.used(clearance.grant)
        return Recorded(clearance, intent)

    def _unwritten(self, call: Call, error: OverdrawnError | UnrecordedError) -> Refused:
        return self._rooms.budgets.overdrawn(call, error) if isinstance(error, OverdrawnError) else Refused(Reason.UNRECORDED, str(error))

    def _credential_now(self, track: Track, recorded: Recorded) -> Lease | None:
        """Stage 8, where a credential is held for this upstream and nobody else's turn comes first."""
        if self.gate.turns.is_fair:
            return None
        lease = self._rooms.broker.at_hand(Use(recorded.intent.call, track.asked.presented))
        if lease is not None:
            track.lease = endings.leased(lease)
        return lease

    async def _credential(self, track: Track, recorded: Recorded) -> Lease:
        """Stage 8: the credential for this upstream, released only now."""
        call, broker, turns = recorded.intent.call, self._rooms.broker, self.gate.turns
        if turns.is_fair:
            await turns.go_on(call.principal.agent.id)
        use = Use(call, track.asked.presented)
        lease = broker.at_hand(use) or await broker.lease(use)
        track.lease = endings.leased(lease)
        return lease

    async def _forward(self, track: Track, recorded: Recorded, lease: Lease, *, is_second: bool = False) -> Answer:
        """Stage 9: the call goes upstream, unless it was stopped or revoked since it was admitted; a later stop cuts it off.

        Where the upstream turns its credential down, nothing has run: another one is tried, once.
        """
        call, asked, rooms = recorded.intent.call, track.asked, self._rooms
        self.gate.still(call, recorded.clearance.inspected.authorized.admitted.epoch)
        answer = turned_down = None
        rooms.flight.begin(call)
        try:
            answer = await asked.carry(call, lease, partial(self._heard, track, call))
            body = answer.body
            if not isinstance(body, Fault) and body.get("resultType") == "input_required":
                asked.check(call, body)
        except asyncio.CancelledError:
            rooms.flight.check_cut(call)
            raise
        except Refused as refused:
            if is_second or refused.reason is not Reason.CREDENTIAL_REFUSED:
                raise
            turned_down = refused
        finally:
            rooms.flight.end(call)
        if answer is None:
            assert turned_down is not None
            return await self._forward(track, recorded, await self._another(track, recorded, lease, turned_down), is_second=True)
        track.answer = answer
        if self.gate.turns.is_fair:
            await self.gate.turns.go_on(call.principal.agent.id, answer.size_bytes)
        return answer

    async def _another(self, track: Track, recorded: Recorded, lease: Lease, refused: Refused) -> Lease:
        """Stage 8 once more, for an upstream that has turned a credential down; raises `refused` where there is no other one."""
        self._rooms.broker.turned_down(Use(recorded.intent.call, track.asked.presented), lease, refused.challenge)
        another = await self._way.credential(track, recorded)
        if another.headers == lease.headers:
            raise refused
        return another

    async def _heard(self, track: Track, call: Call, notice: Notice) -> None:
        """A notification on the way (10): its caller sees of it what guards leave."""
        before = len(track.findings)
        notice = await self._looks.notice(track, call, notice)
        self._currents.heard(track, call, notice, track.findings[before:])
        await track.asked.notices(notice)

    def _inspect_response_now(self, track: Track, recorded: Recorded, answer: Answer) -> Reply | None:
        """Stage 10, where nothing has to be waited for: nobody is asked about what is found."""
        if track.asked.snapshot.document.approvals.findings is not None:
            return None
        looked = self._looks.response_now(track, recorded.intent.call, answer)
        return None if looked is None else self._shown(track, recorded, looked[0], None)

    async def _inspect_response(self, track: Track, recorded: Recorded, answer: Answer) -> Reply:
        """Stage 10: what the caller may see of the answer."""
        call, grant = recorded.intent.call, recorded.clearance.grant
        is_edited = grant is not None and grant.edited is not None
        team = None if is_edited else track.asked.snapshot.document.approvals.findings
        reply, found = await self._looks.response(track, call, answer, BLOCKING if is_edited else blocking(track))
        if team is not None and (asks := questionable(found)):
            raise await self._keeping.keep(call, answer, reply, asks, team)
        return self._shown(track, recorded, reply, await self._currents.read(track, reply, answer.size_bytes))

    def _shown(self, track: Track, recorded: Recorded, reply: Reply, read: Read) -> Reply:
        """A reply that is about to be shown: its context hears of it first, and of what was read in it if that was done already."""
        grant = recorded.clearance.grant
        if grant is not None and grant.edited is not None:
            reply = replace(reply, is_edited=True)
        self._currents.shown(track, recorded.intent, reply, read)
        track.reply = reply
        return reply

    async def _released(self, track: Track, inspected: Inspected) -> Reply:
        """In the place of stages 6 to 10 for a call that has run: its answer, once people have said yes to it. Nothing is sent."""
        call = inspected.authorized.admitted.call
        kept, reply, grant = await self._keeping.released(call)
        clearance = Clearance(Inspected(Authorized(inspected.authorized.admitted, kept.ask), inspected.findings), grant)
        track.recorded = await self._intend(track, clearance, sent=False)
        self._keeping.shown(kept)
        track.findings += kept.findings
        self._currents.shown(track, track.recorded.intent, reply, await self._currents.read(track, reply, kept.size_bytes))
        track.reply = reply
        return reply

    def _left(self, track: Track, seat: Seat) -> tuple[Entry, ...]:
        """What is left of limits now, whenever somebody asks."""
        return track.left or (*seat.left(), *self._rooms.budgets.left(track.asked.id))
