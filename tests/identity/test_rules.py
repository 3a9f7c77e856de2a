"""Enrolment rules: whom they take, and what becomes of those."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from doorward.config.identity import Enrol
from doorward.domain.actors import Agent, AuthnMethod
from doorward.domain.ids import AgentId, TeamId
from doorward.domain.naming import misnamed
from doorward.identity.identities import Identity, IdentityKind, client, parse
from doorward.identity.names import RegistryError
from doorward.identity.records import NEVER, Terms
from doorward.identity.rules import Enrolling, Rule

TOKEN, CERTIFICATE = AuthnMethod.ACCESS_TOKEN, AuthnMethod.CERTIFICATE
BOT = client("corp", "bot-1")


def rule(**fields: object) -> Rule:
    return Rule(Enrol.model_validate({"agent": "{name}", "team": "ci", "owner": "ada", **fields}))


def named(template: str, identity: Identity) -> str:
    kind = {"dns": "*"} if identity.kind is IdentityKind.DNS else {"spiffe": "*"}
    return rule(agent=template, **kind).enrolling(identity, CERTIFICATE, 0.0).agent.id


@pytest.mark.parametrize(
    ("fields", "identity"),
    [
        ({"issuer": "corp"}, "client:corp:bot-1"),
        ({"issuer": "corp", "client": "bot-*"}, "client:corp:bot-1"),
        ({"spiffe": "spiffe://example.org/agents/*"}, "spiffe://example.org/agents/a/b"),
        ({"dns": "*.example.org"}, "dns:a.b.example.org"),
    ],
)
def test_a_rule_takes_identities_of_its_kind_issuer_and_pattern(fields: dict[str, object], identity: str) -> None:
    assert rule(**fields).takes(parse(identity), {})


@pytest.mark.parametrize(
    ("fields", "identity"),
    [
        ({"issuer": "corp"}, "client:other:bot-1"),
        ({"issuer": "corp", "client": "bot-*"}, "client:corp:job-1"),
        ({"issuer": "corp"}, "dns:a.example.org"),
        ({"spiffe": "spiffe://example.org/agents/*"}, "spiffe://example.org/people/a"),
        ({"spiffe": "spiffe://example.org/agents/*"}, "spiffe://example.org.evil/agents/a"),
        ({"dns": "*.example.org"}, "dns:example.org"),
        ({"dns": "*.example.org"}, "client:corp:a.example.org"),
        ({"dns": "*"}, "subject:CN=a"),
    ],
)
def test_a_rule_takes_no_others(fields: dict[str, object], identity: str) -> None:
    assert not rule(**fields).takes(parse(identity), {})


@pytest.mark.parametrize(
    ("wanted", "claims", "is_taken"),
    [
        ({"dept": "eng"}, {"dept": "eng"}, True),
        ({"dept": "eng"}, {"dept": ["ops", "eng"]}, True),
        ({"dept": "eng"}, {"dept": "english"}, False),
        ({"dept": "eng"}, {"dept": ["english"]}, False),
        ({"dept": "eng"}, {"dept": {"eng": True}}, False),
        ({"dept": "eng"}, {}, False),
        ({"dept": "None"}, {}, False),
        ({"trusted": True}, {"trusted": True}, True),
        ({"trusted": True}, {"trusted": 1}, False),
        ({"trusted": True}, {"trusted": "true"}, False),
        ({"level": 1}, {"level": True}, False),
        ({"level": 1}, {"level": 1.0}, False),
        ({"dept": "eng", "level": 2}, {"dept": "eng", "level": 2}, True),
        ({"dept": "eng", "level": 2}, {"dept": "eng"}, False),
    ],
)
def test_every_claim_must_be_there_with_its_very_value(wanted: dict[str, object], claims: dict[str, object], is_taken: bool) -> None:
    assert rule(issuer="corp", claims=wanted).takes(BOT, claims) is is_taken


def test_an_identity_becomes_what_the_rule_says_and_nothing_more() -> None:
    made = rule(issuer="corp", client="bot-*", claims={"dept": "eng"}, kind="job", purpose="Runs jobs.", days=2)
    assert made.enrolling(BOT, TOKEN, 100.0) == Enrolling(
        Agent(AgentId("bot-1"), "ada", TeamId("ci"), "job"),
        100.0 + 2 * 86_400,
        Terms("Runs jobs.", frozenset({TOKEN}), (BOT,), "rule client:corp:bot-* with dept='eng' as {name}"),
    )
    wider = rule(dns="a.example.org", methods=["certificate", "agent_key"], agent="one").enrolling(
        parse("dns:a.example.org"), CERTIFICATE, 0.0
    )
    assert (wider.expires_at, wider.terms.methods) == (NEVER, frozenset({CERTIFICATE, AuthnMethod.AGENT_KEY}))


@pytest.mark.parametrize(
    ("template", "identity", "name"),
    [
        ("{name}", "spiffe://example.org/agents/Build_Bot", "build_bot"),
        ("ci-{name}", "dns:web-1.agents.example.org", "ci-web-1"),
        ("{name}", "client:corp:0oaB1C/", "0oab1c"),
        ("{name}", "client:corp:https://example.org/agents/one.json?v=1", "one.json-v-1"),
        ("{name}", "client:corp:--a..b__c--", "a.b_c"),
        ("{name}", "client:corp:Ünï", "n"),
        ("fixed", "client:corp:whatever", "fixed"),
        ("x-{name}", "client:corp:" + "a" * 100, "x-" + "a" * 62),
        ("{name}", "client:corp:" + "a" * 63 + "-b", "a" * 63),
    ],
)
def test_a_name_is_made_of_the_last_part(template: str, identity: str, name: str) -> None:
    assert named(template, parse(identity)) == name


@pytest.mark.parametrize("identity", ["client:corp:---", "client:corp:日本", "client:corp:doorward"])
def test_what_gives_no_name_that_an_agent_may_have_is_refused(identity: str) -> None:
    with pytest.raises(RegistryError):
        named("{name}", parse(identity))


@given(some.text(min_size=1, max_size=100), some.sampled_from(["{name}", "a-{name}", "{name}.b"]))
def test_whatever_comes_of_a_name_is_one_that_an_agent_may_have(text: str, template: str) -> None:
    try:
        name = named(template, client("corp", text))
    except RegistryError:
        return
    assert misnamed(Agent(AgentId(name), "ada", TeamId("ci"), "client")) is None


def test_rules_that_take_or_make_something_else_have_another_text() -> None:
    rules = [
        rule(issuer="corp"),
        rule(issuer="self"),
        rule(issuer="corp", client="a*"),
        rule(issuer="corp", claims={"a": "1"}),
        rule(issuer="corp", claims={"a": 1}),
        rule(issuer="corp", claims={"a": True}),
        rule(issuer="corp", agent="one"),
        rule(spiffe="spiffe://example.org/*"),
        rule(dns="*.example.org"),
    ]
    assert len({one.text for one in rules}) == len(rules)
    assert rule(issuer="corp", purpose="other", team="x").text == rule(issuer="corp").text
