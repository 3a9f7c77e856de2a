"""The circuit of one address of an upstream: open while it fails, so that nobody waits for what does not answer. Its clock is given."""

from collections.abc import Callable
from enum import Enum, auto

import msgspec

from doorward.upstream.backoff import Backoff


class Blame(Enum):
    """Whose failure it was."""

    NOBODY = auto()
    """Ours: no connection was free, the request could not be written."""
    CALL = auto()
    """One call can bring it about by itself: it ran late, broke off, was answered with what is no answer."""
    ADDRESS = auto()
    """Not one byte could be sent, or a probe of ours failed."""


class Terms(msgspec.Struct, frozen=True):
    """When a circuit opens, and for how long."""

    failures: int = 5
    """In a row."""
    rest_seconds: float = 1.0
    most_rest_seconds: float = 60.0


def _on_its_own(blame: Blame) -> bool:
    """An address that stands alone is not left out for what a call may have brought about."""
    return blame is Blame.ADDRESS


def _nothing() -> None:
    """Nobody wants to know."""


class Circuit:
    """Closed as long as there are answers; open after failures in a row, for a time that grows; then one try at a time is let through."""

    __slots__ = (
        "_backoff",
        "_clock",
        "_closed_at",
        "_terms",
        "failures",
        "is_closed",
        "is_doubted",
        "is_tried",
        "may_open",
        "on_turn",
        "until",
    )

    def __init__(self, terms: Terms, clock: Callable[[], float], chance: Callable[[], float]) -> None:
        self._terms = terms
        self._clock = clock
        self._backoff = Backoff(terms.rest_seconds, terms.most_rest_seconds, chance)
        self._closed_at = float("-inf")
        self.failures = 0
        """Since the last answer."""
        self.is_closed = True
        self.until = 0.0
        """On its clock: before this time nothing is let through an open circuit."""
        self.is_tried = False
        """Whether a try is under way."""
        self.is_doubted = False
        """Whether a probe is wanted, because calls fail and may be to blame themselves."""
        self.may_open: Callable[[Blame], bool] = _on_its_own
        """Whether it may open for such a failure; whoever holds several circuits sets this."""
        self.on_turn: Callable[[], None] = _nothing
        """Called when it opens, closes or is doubted."""

    @property
    def is_failing(self) -> bool:
        """Whether it is open, or has failed often enough to be."""
        return not self.is_closed or self.failures >= self._terms.failures

    @property
    def rests_seconds(self) -> float:
        """How long it stays open from now."""
        return 0.0 if self.is_closed else max(0.0, self.until - self._clock())

    @property
    def admits_try(self) -> bool:
        """Whether an open circuit has rested long enough and nobody tries it."""
        return not self.is_tried and self._clock() >= self.until

    def begin_try(self) -> None:
        """What is sent now decides whether it closes; whoever begins must `end_try`."""
        self.is_tried = True

    def end_try(self) -> None:
        """The try is over, whatever became of it."""
        self.is_tried = False

    def well(self) -> None:
        """There was an answer."""
        self.failures = 0
        self.is_doubted = False
        if not self.is_closed:
            self.is_closed, self._closed_at = True, self._clock()
            self.on_turn()

    def failed(self, blame: Blame) -> None:
        """There was none."""
        if blame is Blame.NOBODY:
            return
        self.failures += 1
        if not self.is_closed:
            self._rest_longer()
        elif self.failures >= self._terms.failures:
            self._judge(blame)

    def condemn(self) -> None:
        """A probe has failed as well: it was not the calls."""
        self.is_doubted = False
        if self.is_closed and self.failures >= self._terms.failures and self.may_open(Blame.ADDRESS):
            self._open(self._next_seconds())

    def acquit(self) -> None:
        """A probe said nothing of it: calls go on."""
        self.is_doubted = False

    def trip(self, seconds: float) -> None:
        """Opens it for so long at once: what stood behind it is known to have gone."""
        self._open(seconds)

    def _judge(self, blame: Blame) -> None:
        if self.may_open(blame):
            self._open(self._next_seconds())
        elif not self.is_doubted and self.failures % self._terms.failures == 0:
            self.is_doubted = True
            self.on_turn()

    def _rest_longer(self) -> None:
        """After a try that failed; what was sent before it had rested, and fails only now, changes nothing."""
        if self.is_tried and self._clock() >= self.until:
            self.until = self._clock() + self._backoff.next_seconds()

    def _next_seconds(self) -> float:
        """As long as the first time, if it has been closed for long."""
        if self._clock() - self._closed_at > self._terms.most_rest_seconds:
            self._backoff.reset()
        return self._backoff.next_seconds()

    def _open(self, seconds: float) -> None:
        was_closed, self.is_closed = self.is_closed, False
        self.is_doubted = False
        self.until = self._clock() + seconds
        if was_closed:
            self.on_turn()
