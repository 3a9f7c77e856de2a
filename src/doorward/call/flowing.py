"""The context of one call, as policy reads it, and what was read of it."""

from dataclasses import replace

from doorward.domain.calls import Call
from doorward.domain.flow import UNMOVED, Flow, Taint
from doorward.domain.ids import InstanceId
from doorward.domain.receipts import Flowed
from doorward.flow.contexts import Contexts
from doorward.policy.session import Said


class Flowing:
    """The context of one call (`policy.session.Session`): asked for when it is first read, and the same for everybody who is asked about."""

    __slots__ = ("_call", "_contexts", "_flow", "_tainted")

    def __init__(self, contexts: Contexts, call: Call) -> None:
        self._contexts = contexts
        self._call = call
        self._flow: Flow | None = None
        self._tainted: tuple[Taint, ...] | None = None

    def flow(self) -> Flow:
        """Label, counters and findings."""
        if self._flow is None:
            self._flow = self._contexts.flow(self._call)
        return self._flow

    def tainted(self) -> tuple[Taint, ...]:
        """The texts of the call that stood in something untrusted before."""
        if self._tainted is None:
            self._tainted = self._contexts.tainted(self._call)
        return self._tainted

    def read(self) -> Flowed | None:
        """What was read of it by now; None where nothing was."""
        if self._flow is None:
            return None
        if self._tainted is None:
            return Flowed(self._flow, is_traced=False)
        return Flowed(replace(self._flow, tainted=self._tainted), is_traced=True)


def present(contexts: Contexts, call: Call) -> Said:
    """The context of an agent as it stands, for a call that is only thought through; of several the worst of all, for any of them may make it."""
    agent = call.principal.agent.id
    mine = [one.instance for one in contexts.room.every() if one.agent == agent]
    calls = [replace(call, principal=replace(call.principal, instance=InstanceId(instance))) for instance in mine]
    flows = [(contexts.flow(one), contexts.tainted(one)) for one in calls]
    found = UNMOVED
    for flow, tainted in flows:
        found = Flow(
            found.label.joined(flow.label),
            tuple(dict.fromkeys((*found.tainted, *tainted))),
            max(found.calls, flow.calls),
            max(found.writes, flow.writes),
            max(found.externals, flow.externals),
            found.findings | flow.findings,
            found.is_too_confidential or flow.is_too_confidential,
            found.is_too_untrusted or flow.is_too_untrusted,
            tuple(dict.fromkeys((*found.declassified, *flow.declassified))),
        )
    return Said(found)
