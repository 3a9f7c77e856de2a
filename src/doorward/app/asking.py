"""How people are asked: the channels that tell them, the page that links lead to, and whether an edit of theirs could be made."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import assert_never

from doorward.app import clocks
from doorward.app.state import State
from doorward.approval.channels.chain import Channels, Means
from doorward.approval.channels.webhook import webhooks
from doorward.approval.question import Question
from doorward.approval.terms import Terms
from doorward.call.flowing import Flowing
from doorward.call.resolve import edited
from doorward.config.approvals import Approvals
from doorward.config.references import Resolver
from doorward.control.approval_pages import PATH
from doorward.domain.calls import Call
from doorward.domain.decisions import Allow, Ask, Deny
from doorward.domain.findings import Direction, Disposition
from doorward.domain.ids import GrantId
from doorward.domain.reasons import Refused
from doorward.domain.secret import Secret
from doorward.policy.question import Moment
from doorward.runtime.generations import Generations
from doorward.telemetry.journal import Journal, Level
from doorward.wire.canonical import canonical


class Asking:
    """Everything around the desk that a document can change, and the page that its listener has."""

    __slots__ = ("_origin", "_resolver", "_state", "channels")

    def __init__(self, rules: Approvals, resolver: Resolver, state: State, journal: Journal) -> None:
        self._state = state
        self._resolver = resolver
        # How operators see the gateway; empty until their door is open, and where there is none.
        self._origin = ""

        def told(channel: str, approval: str, why: str) -> None:
            journal.say("approval_channel_failed", Level.WARNING, channel=channel, approval=approval, why=why)

        means = Means(state.desk.question, lambda reference: self.link(reference) or "", state.evidence.recorder.note, told, clocks.now)
        self.channels = Channels(means)
        self._take(rules)
        state.desk.on_asked(self.channels.tell)
        state.desk.on_answered(self.channels.answered)

    def take(self, rules: Approvals) -> None:
        """Goes on with other terms and channels; one that was mended hears of what waits still."""
        self._take(rules)
        self.again()

    def _take(self, rules: Approvals) -> None:
        self._state.desk.adopt(Terms.of(rules))
        self.channels.adopt(webhooks(rules.webhooks, self._resolver.resolve, clocks.now))

    def open_at(self, origin: str) -> None:
        """The door for people has its address: from now on links lead there."""
        self._origin = origin

    def secret(self, reference: str) -> Secret:
        """What a reference leads to; raises a `DoorwardError`."""
        return self._resolver.resolve(reference)

    def link(self, reference: GrantId) -> str | None:
        """The page of a question; None where there is no door for people."""
        return f"{self._origin}{PATH}/{reference}" if self._origin else None

    def again(self) -> None:
        """Tells people of what waits and nobody has been told of, such as from before a restart."""
        for question in self._state.desk.questions():
            self.channels.tell(question)


class Edits:
    """Says what is wrong with other arguments than a caller's before anybody says yes to them. The spine asks again when the call is made."""

    __slots__ = ("_generations", "_moment", "_state")

    def __init__(self, generations: Generations, moment: Callable[[], Moment], state: State) -> None:
        self._generations, self._moment, self._state = generations, moment, state

    def problems(self, question: Question, arguments: Mapping[str, object]) -> tuple[str, ...]:
        """Why the call could not be made so, a sentence each; nothing for a call that nobody remembers, of which the spine will judge."""
        asked = self._state.desk.caller(question.id)
        if asked is None:
            return ()
        try:
            call = edited(asked, canonical(arguments))
        except Refused as refused:
            return (refused.detail or refused.public,)
        screen = self._generations.current.screen
        findings = [
            found
            for found in screen.inspection.request(call)
            if screen.dispositions.of(found, Direction.REQUEST, call) is not Disposition.PASS
        ]
        wrong = tuple(f"{found.guard}: {found.rule} at {found.pointer or 'the arguments as a whole'}" for found in findings)
        return wrong or self._denied(question, call)

    def _denied(self, question: Question, call: Call) -> tuple[str, ...]:
        at = replace(self._moment(), session=Flowing(self._state.contexts, call))
        match self._generations.current.policies.decide(call, at, self._state.waivers.besides_own(call.principal)):
            case Allow():
                return ()
            case Ask(policies):
                more = sorted(set(policies) - set(question.policies))
                return (f"others would have to be asked, too: {', '.join(more)}",) if more else ()
            case Deny(policies, reason):
                return (f"policy denies it ({', '.join(policies) or 'none permits'}): {reason}",)
            case other:
                assert_never(other)
