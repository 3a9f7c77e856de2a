"""Open loop: calls that arrive when a schedule says, whether or not those before them were answered."""

from __future__ import annotations

import asyncio
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from random import Random

Arrive = Callable[[float], None]
"""Told, on the event loop, that a call is due since a moment (`time.perf_counter`)."""


def arrivals(rate: float, seconds: float, seed: int) -> Sequence[float]:
    """The moments, from 0 to `seconds`, at which calls arrive that know nothing of each other, `rate` a second (a Poisson process). Pure."""
    draw = Random(seed)
    moments = array("d")
    moment = draw.expovariate(rate)
    while moment < seconds:
        moments.append(moment)
        moment += draw.expovariate(rate)
    return moments


def announce(moments: Sequence[float], start: float, arrive: Arrive) -> threading.Thread:
    """Tells the running loop of each arrival in time: from a thread that sleeps until then, as timers of loops count in milliseconds."""
    loop = asyncio.get_running_loop()

    def tell() -> None:
        for moment in moments:
            due = start + moment
            wait = due - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            loop.call_soon_threadsafe(arrive, due)

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    return thread
