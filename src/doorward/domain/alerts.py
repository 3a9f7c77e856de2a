"""Alerts: what whoever runs the gateway must hear of at once, as a plain value.

LAW: an alert holds no value of a call, no secret, and of a person only the pseudonym that the log uses.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

_NOTHING: Mapping[str, str | int] = MappingProxyType({})


class AlertKind(StrEnum):
    """What an alert is about; the words are stable, outside they read `alert.<kind>`."""

    MISUSE = "misuse"
    """An agent that is refused again and again what it may not do."""
    STOP = "stop"
    """An operator has stopped, revoked or cut something."""
    DRIFT = "drift"
    """An upstream shows other definitions than those that were accepted."""
    BREAKER = "breaker"
    """An upstream, or one address of it, is left out because it fails; or is back."""
    BUDGET = "budget"
    """A budget is used up, or nearly."""
    RUNAWAY = "runaway"
    """An agent goes in circles."""
    AUTHENTICATION = "authentication"
    """A burst of callers that could not say who they are."""
    GLASS = "glass"
    """Somebody lets an agent past policy: a broken glass, an exception."""
    LOG = "log"
    """The log cannot be written or anchored, or can be again."""
    CONFIGURATION = "configuration"
    """A configuration was not taken; the one before goes on."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that somebody should look at."""

    kind: AlertKind
    sentence: str
    """For a person who reads nothing else."""
    fields: Mapping[str, str | int] = field(default_factory=lambda: _NOTHING)
    reference: str = ""
    """The call, or the place in the log, that shows it; empty where there is none."""
    key: str = ""
    """What it is about within its kind (an agent, an upstream, a limit): alerts of one kind and key are folded into one.

    It goes out too: a person is named by pseudonym here as well.
    """


Alarm = Callable[[Alert], None]
"""Tells of an alert. Waits for nothing and raises nothing; to be called on the event loop."""
