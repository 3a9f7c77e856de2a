"""Where the sessions of principals live: calls of one go to one address as long as it serves (RULINGS 10)."""

from collections import OrderedDict
from typing import Final

from doorward.upstream.order import Order
from doorward.upstream.replicas.address import Address
from doorward.upstream.sessions import Key, own_key

MOST: Final = 10_000
"""Principals that are remembered; whoever was not heard of for longest begins anew, where least is under way."""


class Affinity:
    """A bounded map from whose session it is to the address that holds it."""

    __slots__ = ("_held", "_most")

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._held: OrderedDict[Key, Address] = OrderedDict()

    def of(self, order: Order) -> Address | None:
        """The address that the caller's session is at."""
        key = own_key(order)
        found = self._held.get(key)
        if found is not None:
            self._held.move_to_end(key)
        return found

    def bind(self, order: Order, address: Address) -> None:
        """From now on the caller's session is there."""
        key = own_key(order)
        self._held[key] = address
        self._held.move_to_end(key)
        if len(self._held) > self._most:
            self._held.popitem(last=False)

    def forget(self, address: Address) -> None:
        """Nobody's session is there any more."""
        self._held = OrderedDict((key, held) for key, held in self._held.items() if held is not address)
