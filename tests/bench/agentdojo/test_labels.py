"""How AgentDojo's tools are labelled."""

import pytest

from bench.agentdojo.labels import CONFIGURATIONS, DESTINATIONS, ENDORSED, STRICT, TOOLS, Configuration
from bench.agentdojo.package import AbsentError, suites
from doorward.config.model import Document


def test_the_strict_configuration_trusts_what_is_the_owners_own_alone() -> None:
    assert STRICT.tools(["get_balance", "send_email", "get_hotels_prices", "get_webpage", "search_emails"]) == {
        "get_balance": {"groups": ["read"], "labels": {"integrity": "trusted"}},
        "send_email": {"groups": ["write", "external"], "labels": {"integrity": "trusted"}},
        "get_hotels_prices": {"groups": ["read"]},
        "get_webpage": {"groups": ["read", "external"]},
        "search_emails": {"groups": ["read"]},
    }


@pytest.mark.parametrize("configuration", [ENDORSED, DESTINATIONS], ids=lambda one: one.name)
def test_the_others_say_what_is_published_and_by_whom(configuration: Configuration) -> None:
    assert configuration.tools(["get_hotels_prices", "get_rating_reviews_for_hotels"]) == {
        "get_hotels_prices": {"groups": ["read"], "labels": {"integrity": "trusted", "confidentiality": "public"}},
        "get_rating_reviews_for_hotels": {"groups": ["read"], "labels": {"confidentiality": "public"}},
    }


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda one: one.name)
@pytest.mark.parametrize("upstream", ["workspace", "banking"])
def test_a_configuration_is_one_that_an_operator_can_write(configuration: Configuration, upstream: str) -> None:
    document = Document.model_validate(
        {
            "upstreams": {upstream: {"url": "https://x.example.com/mcp", "tools": configuration.tools(list(TOOLS))}},
            "flow": configuration.flow(upstream),
        }
    )
    assert (tuple(document.flow.presets), set(document.flow.endorse)) == (
        configuration.presets,
        set(configuration.endorse) if upstream == "workspace" else set(),
    )


def test_every_tool_of_the_suites_is_labelled_and_no_other() -> None:
    try:
        every = suites()
    except AbsentError as absent:
        pytest.skip(str(absent))
    assert {tool.name for suite in every.values() for tool in suite.tools} == set(TOOLS)
