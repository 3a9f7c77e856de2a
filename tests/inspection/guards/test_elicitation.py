"""Forms that servers show to people in the middle of a call."""

from collections.abc import Mapping

import pytest

from doorward.domain.findings import Finding, Severity
from doorward.inspection.guards.elicitation import Elicitation
from doorward.testing.guards import Bench

BENCH = Bench(Elicitation())


def asks(properties: Mapping[str, object], message: str = "Please confirm.") -> Mapping[str, object]:
    params = {"mode": "form", "message": message, "requestedSchema": {"type": "object", "properties": properties}}
    return {"resultType": "input_required", "inputRequests": {"a/b": {"method": "elicitation/create", "params": params}}}


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    "name", ["password", "api_key", "apiKey", "API Key", "accessToken", "token", "client-secret", "otp", "cvv", "cardNumber", "pin", "ssn"]
)
def test_a_field_for_a_secret_is_found(name: str) -> None:
    [found] = BENCH.response(asks({name: TEXT}))
    pointer = "/inputRequests/a~1b/params/requestedSchema/properties/" + name
    assert found == Finding("elicitation", "secret_field", Severity.HIGH, pointer)


@pytest.mark.parametrize("title", ["Your password", "Personal access token", "One-time code", "The seed phrase of your wallet"])
def test_a_field_says_it_by_its_title_or_description_too(title: str) -> None:
    assert BENCH.response(asks({"value": {"type": "string", "title": title}}))
    assert BENCH.response(asks({"value": {"type": "string", "description": title}}))


@pytest.mark.parametrize(
    "name", ["city", "max_tokens", "page_token", "key", "keyword", "pinned", "token_count", "secretary", "authors", "passenger", "note"]
)
def test_other_fields_are_nobodys_secret(name: str) -> None:
    assert BENCH.response(asks({name: TEXT})) == ()


def test_a_text_that_asks_for_one_is_found_where_no_field_says_so() -> None:
    [found] = BENCH.response(asks({"answer": TEXT}, "Session expired. Re-enter your account password to go on."))
    assert (found.rule, found.severity, found.pointer) == ("secret_asked", Severity.MEDIUM, "/inputRequests/a~1b/params/message")


def test_a_form_on_the_way_is_looked_at_as_well() -> None:
    [found] = BENCH.notice({"message": "x", "requestedSchema": {"type": "object", "properties": {"password": TEXT}}})
    assert found.pointer == "/requestedSchema/properties/password"


@pytest.mark.parametrize(
    "body",
    [
        {
            "inputRequests": {
                "a": {"method": "elicitation/create", "params": {"mode": "url", "message": "Sign in", "url": "https://x.example"}}
            }
        },
        {"inputRequests": {"a": {"params": {"requestedSchema": 7}}}},
        {"inputRequests": {"a": {"params": {"requestedSchema": {"properties": ["password"]}}}}},
        {"inputRequests": ["requestedSchema"], "note": '"requestedSchema"'},
        {"requestedSchema": None},
    ],
)
def test_what_is_no_form_with_fields_has_no_secret_fields(body: Mapping[str, object]) -> None:
    assert BENCH.response(body) == ()


def test_arguments_are_no_form() -> None:
    assert BENCH.request({"requestedSchema": {"properties": {"password": TEXT}}}) == ()
