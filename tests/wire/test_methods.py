"""Every method of both eras has its way."""

import pytest
from mcp_types import methods as sdk

from doorward.domain.calls import Era
from doorward.domain.catalog import Kind
from doorward.wire.eras import EXCHANGE_VERSIONS, SESSION_VERSIONS
from doorward.wire.methods import METHODS, MethodRow, Route, row

TABLES = (sdk.CLIENT_REQUESTS, sdk.CLIENT_NOTIFICATIONS, sdk.SERVER_REQUESTS, sdk.SERVER_NOTIFICATIONS)
ERAS = dict.fromkeys(SESSION_VERSIONS, Era.SESSION) | dict.fromkeys(EXCHANGE_VERSIONS, Era.EXCHANGE)


def test_every_method_of_the_official_sdk_has_a_row_in_the_era_of_each_of_its_revisions() -> None:
    assert {(method, ERAS[version]) for table in TABLES for method, version in table} - set(METHODS) == set()


def test_every_method_has_a_row_in_both_eras() -> None:
    assert {method for method, era in METHODS if era is Era.SESSION} == {method for method, era in METHODS if era is Era.EXCHANGE}


@pytest.mark.parametrize("era", Era)
def test_what_is_governed_is_exactly_this(era: Era) -> None:
    governed = {method: found for (method, where), found in METHODS.items() if where is era and found.route in (Route.CALL, Route.LIST)}
    assert governed == {
        "tools/call": MethodRow(Route.CALL, Kind.TOOL, "name"),
        "prompts/get": MethodRow(Route.CALL, Kind.PROMPT, "name"),
        "resources/read": MethodRow(Route.CALL, Kind.RESOURCE, "uri"),
        "completion/complete": MethodRow(Route.CALL),
        "tools/list": MethodRow(Route.LIST, Kind.TOOL),
        "prompts/list": MethodRow(Route.LIST, Kind.PROMPT),
        "resources/list": MethodRow(Route.LIST, Kind.RESOURCE),
        "resources/templates/list": MethodRow(Route.LIST, Kind.TEMPLATE),
    }


def test_each_era_answers_its_own_methods_and_refuses_those_of_the_other() -> None:
    session = {"initialize", "ping", "logging/setLevel", "notifications/initialized", "notifications/roots/list_changed"}
    exchange = {"server/discover", "subscriptions/listen"}
    both = {"notifications/cancelled", "notifications/progress"}
    local = {era: {method for (method, where), found in METHODS.items() if where is era and found.route is Route.LOCAL} for era in Era}
    assert local == {Era.SESSION: session | both, Era.EXCHANGE: exchange | both}
    assert {row(method, Era.EXCHANGE).route for method in session} == {Route.REFUSED}
    assert {row(method, Era.SESSION).route for method in exchange} == {Route.REFUSED}


@pytest.mark.parametrize("era", Era)
def test_no_request_or_notification_of_a_server_is_taken_from_a_client(era: Era) -> None:
    servers = {method for table in (sdk.SERVER_REQUESTS, sdk.SERVER_NOTIFICATIONS) for method, _ in table}
    clients = {method for table in (sdk.CLIENT_REQUESTS, sdk.CLIENT_NOTIFICATIONS) for method, _ in table}
    assert {row(method, era).route for method in servers - clients} == {Route.REVERSE}


@pytest.mark.parametrize("era", Era)
@pytest.mark.parametrize(
    "method", ["tasks/get", "tasks/list", "resources/subscribe", "skills/get", "no/such", "Tools/Call", "tools/call ", ""]
)
def test_what_is_not_offered_or_not_known_is_refused(method: str, era: Era) -> None:
    assert row(method, era).route is Route.REFUSED
