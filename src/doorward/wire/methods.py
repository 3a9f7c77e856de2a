"""The table of MCP methods: what becomes of each, in each era. A method without a row is refused.

Sources: schema of 2025-11-25 and of 2026-07-28; the tasks and skills extensions.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from doorward.domain.calls import Era
from doorward.domain.catalog import Kind


class Route(StrEnum):
    """What becomes of a message."""

    CALL = "call"
    """Governed, and carried to one upstream."""
    LIST = "list"
    """Governed, and answered from the catalogue."""
    LOCAL = "local"
    """Answered or taken note of by the gateway itself."""
    REVERSE = "reverse"
    """From an upstream to a client: never accepted from a client."""
    REFUSED = "refused"


class MethodRow(msgspec.Struct, frozen=True):
    """One row: the way of a method, what sort of thing it is aimed at or lists, and which field of `params` names it."""

    route: Route
    kind: Kind | None = None
    name_field: str | None = None


REFUSED = MethodRow(Route.REFUSED)
_LOCAL = MethodRow(Route.LOCAL)
_REVERSE = MethodRow(Route.REVERSE)

_BOTH: Mapping[str, MethodRow] = {
    "tools/call": MethodRow(Route.CALL, Kind.TOOL, "name"),
    "prompts/get": MethodRow(Route.CALL, Kind.PROMPT, "name"),
    "resources/read": MethodRow(Route.CALL, Kind.RESOURCE, "uri"),
    "completion/complete": MethodRow(Route.CALL),  # aimed at what its `ref` names: a prompt or a template
    "tools/list": MethodRow(Route.LIST, Kind.TOOL),
    "prompts/list": MethodRow(Route.LIST, Kind.PROMPT),
    "resources/list": MethodRow(Route.LIST, Kind.RESOURCE),
    "resources/templates/list": MethodRow(Route.LIST, Kind.TEMPLATE),
    "notifications/cancelled": _LOCAL,
    "notifications/progress": _LOCAL,
    "sampling/createMessage": _REVERSE,
    "elicitation/create": _REVERSE,
    "roots/list": _REVERSE,
    "notifications/message": _REVERSE,
    "notifications/tools/list_changed": _REVERSE,
    "notifications/prompts/list_changed": _REVERSE,
    "notifications/resources/list_changed": _REVERSE,
    "notifications/resources/updated": _REVERSE,
    "notifications/elicitation/complete": _REVERSE,
    "notifications/subscriptions/acknowledged": _REVERSE,
    "notifications/tasks": _REVERSE,
    "notifications/tasks/status": _REVERSE,
    "tasks/get": MethodRow(Route.REFUSED, name_field="taskId"),
    "tasks/list": REFUSED,
    "tasks/cancel": MethodRow(Route.REFUSED, name_field="taskId"),
    "tasks/result": MethodRow(Route.REFUSED, name_field="taskId"),
    "tasks/update": MethodRow(Route.REFUSED, name_field="taskId"),
    "skills/list": REFUSED,
    "skills/get": REFUSED,
    "resources/directory/read": REFUSED,
}

_SESSION: Mapping[str, MethodRow] = {
    "initialize": _LOCAL,
    "notifications/initialized": _LOCAL,
    "ping": _LOCAL,
    "logging/setLevel": _LOCAL,
    "notifications/roots/list_changed": _LOCAL,
    "resources/subscribe": REFUSED,
    "resources/unsubscribe": REFUSED,
    "server/discover": REFUSED,
    "subscriptions/listen": REFUSED,
}

_EXCHANGE: Mapping[str, MethodRow] = {
    "server/discover": _LOCAL,
    "subscriptions/listen": _LOCAL,
    "initialize": REFUSED,
    "notifications/initialized": REFUSED,
    "ping": REFUSED,
    "logging/setLevel": REFUSED,
    "notifications/roots/list_changed": REFUSED,
    "resources/subscribe": REFUSED,
    "resources/unsubscribe": REFUSED,
}

METHODS: Mapping[tuple[str, Era], MethodRow] = {
    **{(method, era): row for era in Era for method, row in _BOTH.items()},
    **{(method, Era.SESSION): row for method, row in _SESSION.items()},
    **{(method, Era.EXCHANGE): row for method, row in _EXCHANGE.items()},
}


def row(method: str, era: Era) -> MethodRow:
    """The row of a method in an era; refused where there is none."""
    return METHODS.get((method, era), REFUSED)
