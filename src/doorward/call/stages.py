"""The stages of a call, in their order: what each takes and what it gives."""

from collections.abc import Awaitable, Callable

import msgspec

from doorward.admission.gate import Seat
from doorward.call.asked import Asked, Track
from doorward.domain.calls import Answer, Call, Reply
from doorward.domain.leases import Lease
from doorward.domain.reasons import Refused
from doorward.domain.tickets import Admitted, Authorized, Clearance, Inspected, Recorded


class Stages(msgspec.Struct, frozen=True):
    """What the spine calls for each stage: handed through the clock once, when it is built.

    `…_now` is the same stage where nothing has to be waited for, and gives None where something has: most calls wait for the log and for
    their upstream, and for nothing else.
    """

    resolve: Callable[[Asked], Call]
    admit: Callable[[Call], Seat]
    authorize: Callable[[Track, Admitted], Authorized]
    inspect_request_now: Callable[[Track, Authorized], Inspected | None]
    inspect_request: Callable[[Track, Authorized], Awaitable[Inspected]]
    approve_now: Callable[[Track, Inspected], Clearance | None]
    approve: Callable[[Track, Inspected], Awaitable[Clearance]]
    intend: Callable[[Track, Clearance], Awaitable[Recorded]]
    credential_now: Callable[[Track, Recorded], Lease | None]
    credential: Callable[[Track, Recorded], Awaitable[Lease]]
    forward: Callable[[Track, Recorded, Lease], Awaitable[Answer]]
    inspect_response_now: Callable[[Track, Recorded, Answer], Reply | None]
    inspect_response: Callable[[Track, Recorded, Answer], Awaitable[Reply]]
    conclude: Callable[[Track, Refused | None], Awaitable[None]]
