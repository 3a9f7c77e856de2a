"""What is stopped, revoked, suspended or killed is cut off where it runs: calls upstream, and streams that wait for changes."""

from doorward.admission import matters
from doorward.admission.matters import Matter, MatterKind, Named
from doorward.admission.stops import Switch
from doorward.call.changes import Changes, Listener
from doorward.call.flight import Flight
from doorward.call.holding import Holding
from doorward.call.sessions import End, Sessions
from doorward.domain.calls import Call
from doorward.domain.ids import SessionId
from doorward.identity.registry import Change, Registry

_OF_CALLS = frozenset({MatterKind.UPSTREAM, MatterKind.TOOL})
"""Kinds that are of single calls: who listens for changes may go on, and hears what of the lists is gone."""


def connect(switch: Switch, registry: Registry, flight: Flight, holding: Holding, changes: Changes, sessions: Sessions) -> None:
    """Has whatever runs or waits follow the switch, and the switch follow registry and sessions."""

    def cut(matter: Matter, why: str) -> None:
        name: Named = (matter.kind, matter.name)

        def is_touched(call: Call) -> bool:
            return name in matters.touched(call)

        flight.cut(is_touched, why)
        # Of who is kept waiting for approval the spine looks again, and says what is the matter.
        holding.cut(is_touched)
        if matter.kind not in _OF_CALLS:
            changes.end(lambda listener: _concerns(name, listener))

    def narrowed(change: Change) -> None:
        if change.is_narrower:
            matter = matters.agent(change.agent) if change.key is None else matters.key(change.key)
            switch.cut(matter, f"{matter.kind} {matter.name} was suspended or revoked")

    def ended(session: SessionId, why: End) -> None:
        if why is End.KILLED:
            switch.cut(matters.session(session), "its session was ended by an operator")
        else:
            # What runs in it may finish; whoever waits in it for changes would wait for ever.
            changes.end(lambda listener: listener.session == session)

    switch.on_change(cut)
    registry.follow(narrowed)
    sessions.follow(ended)


def _concerns(name: Named, listener: Listener) -> bool:
    return name in matters.of_principal(listener.principal) or name == (MatterKind.SESSION, listener.session)
