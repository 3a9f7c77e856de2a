"""Calls that wait for a person to connect: what the link in their answer leads to.

A reference is the keyed hash of its place: the same each time, so that an agent that tries a hundred times has one link, and nothing to be
guessed. It opens nothing: whoever follows it must sign in as its holder.
"""

from collections import OrderedDict
from collections.abc import Callable

from doorward.credentials.connections.connection import Place
from doorward.credentials.connections.port import Ask
from doorward.domain.ids import AgentId

_MOST = 10_000
"""The oldest go; their next call brings them back."""
_MOST_SCOPES = 64


class Asks:
    """What was asked for lately."""

    __slots__ = ("_asks", "_mark", "_most")

    def __init__(self, mark: Callable[[str], str], most: int = _MOST) -> None:
        self._mark, self._most = mark, most
        self._asks: OrderedDict[str, Ask] = OrderedDict()

    def ask(self, place: Place, agent: AgentId, scopes: tuple[str, ...] = ()) -> Ask:
        """The ask of a place, for a call of an agent, with these scopes besides those that were asked for there before."""
        reference = self._reference(place)
        before = self._asks.get(reference)
        wanted = dict.fromkeys((*(() if before is None else before.scopes), *scopes))
        ask = self._asks[reference] = Ask(reference, place, agent, tuple(wanted)[:_MOST_SCOPES])
        self._asks.move_to_end(reference)
        if len(self._asks) > self._most:
            self._asks.popitem(last=False)
        return ask

    def find(self, reference: str) -> Ask | None:
        """What a link leads to."""
        return self._asks.get(reference)

    def at(self, place: Place) -> Ask | None:
        """What is asked for at a place."""
        return self._asks.get(self._reference(place))

    def settle(self, place: Place) -> None:
        """Nothing is asked for at a place any more."""
        self._asks.pop(self._reference(place), None)

    def _reference(self, place: Place) -> str:
        return self._mark("\0".join(("connect", place.holder, place.upstream, place.agent)))
