"""The rooms that the spine goes through, and its clocks."""

from collections.abc import Callable

import msgspec

from doorward.admission.budgets.budgets import Budgets
from doorward.admission.gate import Gate
from doorward.admission.runaway.watch import Watch
from doorward.approval.desk import Desk
from doorward.audit.recorder import Recorder
from doorward.call.flight import Flight
from doorward.credentials.broker import Broker
from doorward.domain.waivers import Waived, Waivers, nothing_waived, nothing_waived_for
from doorward.flow.contexts import Contexts
from doorward.policy.question import Moment
from doorward.telemetry.meter import Meter
from doorward.telemetry.stages import NO_CLOCK, Clock


class Rooms(msgspec.Struct, frozen=True):
    """The rooms that the spine goes through, and its clocks."""

    gate: Gate
    watch: Watch
    budgets: Budgets
    desk: Desk
    recorder: Recorder
    broker: Broker
    contexts: Contexts
    flight: Flight
    meter: Meter
    moment: Callable[[], Moment]
    monotonic: Callable[[], float]
    waivers: Waivers = nothing_waived
    """What of an agent is let past policy now: for what it may see."""
    waived: Waived = nothing_waived_for
    """The same for a call; asked alone where it would be denied."""
    clock: Clock = NO_CLOCK
    """What each stage is handed through."""
