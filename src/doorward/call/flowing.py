"""What has flowed into the context of one call, asked for when it is first read: it stays the same for everybody who is asked about."""

from dataclasses import replace
from typing import Protocol

from doorward.domain.calls import Call
from doorward.domain.flow import Flow, Taint
from doorward.domain.receipts import Flowed


class Flows(Protocol):
    """Where contexts are kept, as the spine asks them before a call."""

    def flow(self, call: Call) -> Flow:
        """What policy may know of the context that a call comes from, but for taint."""
        ...

    def tainted(self, call: Call) -> tuple[Taint, ...]:
        """The texts of a call that stood in something untrusted before."""
        ...


class Flowing:
    """The context of one call (`policy.session.Session`), and what was read of it."""

    __slots__ = ("_call", "_flow", "_flows", "_tainted")

    def __init__(self, flows: Flows, call: Call) -> None:
        self._flows = flows
        self._call = call
        self._flow: Flow | None = None
        self._tainted: tuple[Taint, ...] | None = None

    def flow(self) -> Flow:
        """Label, counters and findings."""
        if self._flow is None:
            self._flow = self._flows.flow(self._call)
        return self._flow

    def tainted(self) -> tuple[Taint, ...]:
        """The texts of the call that stood in something untrusted before."""
        if self._tainted is None:
            self._tainted = self._flows.tainted(self._call)
        return self._tainted

    def read(self) -> Flowed | None:
        """What was read of it by now; None where nothing was."""
        if self._flow is None:
            return None
        if self._tainted is None:
            return Flowed(self._flow, is_traced=False)
        return Flowed(replace(self._flow, tainted=self._tainted), is_traced=True)
