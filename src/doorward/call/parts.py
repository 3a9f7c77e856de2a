"""What the spine is put together from, as doors see it."""

from collections.abc import Callable

import msgspec

from doorward.call.approving import Link, no_page
from doorward.call.changes import Changes
from doorward.call.connecting import ConnectLink, no_connect_page
from doorward.call.listing import Listing
from doorward.call.pipeline import Pipeline
from doorward.call.rounds import Rounds
from doorward.call.sessions import Sessions
from doorward.domain.reasons import Reason
from doorward.identity.chain import Chain
from doorward.policy.question import Moment
from doorward.runtime.fleet import Fleet
from doorward.runtime.generations import Generations
from doorward.telemetry.stages import NO_CLOCK, Clock


class Parts(msgspec.Struct, frozen=True):
    """What the spine is put together from."""

    chain: Chain
    generations: Generations
    pipeline: Pipeline
    listing: Listing
    rounds: Rounds
    sessions: Sessions
    changes: Changes
    fleet: Fleet
    turn_away: Callable[[str, Reason, str], None]
    moment: Callable[[], Moment]
    now: Callable[[], float]
    new_id: Callable[[], str]
    link: Link = no_page
    """The page on which a question is answered."""
    connect: ConnectLink = no_connect_page
    """The page on which an account is connected."""
    clock: Clock = NO_CLOCK
    """What each stage is handed through."""
