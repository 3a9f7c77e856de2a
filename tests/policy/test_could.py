"""What lists show: everything that some arguments could get, and nothing that none can."""

import pytest

from doorward.domain.catalog import Kind, Target
from doorward.domain.ids import UpstreamId
from doorward.policy.engine import Policies
from tests.policy.world import CLAUDE, CREATE, DELETE, FILE, NOON, PAY, REVIEW, SEARCH, WHOLE_GITHUB, at, loaded, policy, principal, target

PERMIT = policy("permit(principal, action, resource);", "open")
TEMPLATE = target("github", "file:///srv/{path}", kind=Kind.TEMPLATE)
INSTRUCTIONS = target("github", "instructions", kind=Kind.INSTRUCTIONS)


def rule(effect: str, condition: str, action: str = "action", **notes: str) -> str:
    return policy(f"{effect}(principal, {action}, resource) {condition};", effect + str(len(condition)), **notes)


def seen(policies: Policies, *targets: Target, network: str = "10.1.2.3") -> list[str]:
    who = principal(network=network)
    return [what.name for what in targets if policies.could_allow(who, what, NOON)]


FAILING = "when { context.time.hour * 9223372036854775807 > 0 }"
NEITHER = "when { (context.input has owner && context.time.hour == 3) || (context.input has title && context.time.hour == 4) }"
LIMITED = "when { context.input has limit && context.input.limit * 9223372036854775807 > 0 }"
AT_NOON = "when { context.time.hour == 12 || context.input has owner }"
AFTER_NOON = "when { context.input has owner && context.time.hour > 12 }"
SOME_OWNER = 'when { context.input has owner && context.input.owner == "acme" }'


@pytest.mark.parametrize(
    ("why", "texts", "is_seen"),
    [
        ("no policy", (), False),
        ("permitted outright", (PERMIT,), True),
        ("permitted for some arguments", (rule("permit", SOME_OWNER),), True),
        ("forbidden for some arguments", (PERMIT, rule("forbid", SOME_OWNER)), True),
        ("forbidden outright", (PERMIT, rule("forbid", "")), False),
        ("asked about", (PERMIT, rule("forbid", "", approval="ops")), True),
        ("asked about, and forbidden", (PERMIT, rule("forbid", "", approval="ops"), rule("forbid", "when { true }")), False),
        (
            "permitted at another hour, whatever the arguments",
            (rule("permit", AFTER_NOON),),
            False,
        ),
        (
            "forbidden at this hour, whatever the arguments",
            (PERMIT, rule("forbid", AT_NOON)),
            False,
        ),
        (
            "permitted never, though it reads arguments",
            (rule("permit", "when { if context.input has owner then false else false }"),),
            False,
        ),
        ("forbidden unless never", (PERMIT, rule("forbid", "unless { context.input has owner && context.time.hour == 3 }")), False),
        ("failing whatever the arguments", (PERMIT, rule("forbid", FAILING)), False),
        (
            "failing for some arguments",
            (PERMIT, rule("forbid", LIMITED)),
            True,
        ),
        (
            "failing whatever the arguments, beside one that reads them",
            (PERMIT, rule("forbid", FAILING), rule("forbid", SOME_OWNER)),
            False,
        ),
        ("permitted by neither of two ways", (rule("permit", NEITHER),), False),
        ("permitted either way", (rule("permit", "when { if context.input has owner then true else context.time.hour == 3 }"),), True),
        ("forbidden by what neither way is", (PERMIT, rule("forbid", NEITHER.replace("when", "unless"))), False),
        ("another network", (rule("permit", 'when { context has network && context.network.isInRange(ip("11.0.0.0/8")) }'),), False),
        ("observed only", (rule("permit", "", mode="observe"),), False),
        ("observed forbid", (PERMIT, rule("forbid", "", mode="observe")), True),
    ],
)
def test_a_tool_is_seen_where_it_could_be_called(why: str, texts: tuple[str, ...], is_seen: bool) -> None:
    assert (seen(loaded(*texts), CREATE) == ["create_issue"]) is is_seen, why


def test_an_argument_that_is_read_whole_is_unknown_as_well() -> None:
    whole = loaded(rule("permit", 'when { context.input == {"repo": "x"} }', 'action == Action::"github/delete_repo"'))
    assert seen(whole, DELETE, CREATE) == ["delete_repo"]


def test_a_caller_from_a_garbled_address_sees_nothing_that_reads_it() -> None:
    inside = loaded(rule("permit", "when { context has network }"))
    assert seen(inside, CREATE) == ["create_issue"]
    assert seen(inside, CREATE, network="local") == []
    assert seen(inside, CREATE, network="nonsense") == []


def test_resources_are_seen_by_their_uris_and_templates_by_what_they_could_make() -> None:
    reports = loaded(
        policy('permit(principal, action == Action::"github/resources/read", resource) when { context.input.uri like "file:///srv/*" };')
    )
    secret = target("github", "file:///etc/passwd", kind=Kind.RESOURCE)
    assert seen(reports, FILE, secret, TEMPLATE) == [FILE.name, TEMPLATE.name]


def test_an_upstream_and_its_instructions_are_seen_by_who_sees_anything_of_it() -> None:
    one = loaded(policy('permit(principal, action == Action::"github/search", resource);'))
    bank = target("bank", "bank", kind=Kind.UPSTREAM, team="finance")
    nowhere = target("nowhere", "x", kind=Kind.UPSTREAM)
    assert seen(one, WHOLE_GITHUB, INSTRUCTIONS, bank, nowhere) == ["github", "instructions"]


def test_tools_that_the_same_rules_cover_are_still_told_apart_by_what_the_rules_read() -> None:
    by_action = loaded(rule("permit", 'when { action in Action::"read" && context.input has query }'))
    assert seen(by_action, CREATE, SEARCH, PAY, REVIEW) == ["search", "review"]
    by_resource = loaded(rule("permit", 'when { resource.name == "bank" && context.input has to }'))
    assert seen(by_resource, CREATE, PAY) == ["pay"]
    by_class = loaded(rule("permit", 'when { context.reversibility == "read" && context.input has query }'))
    assert seen(by_class, CREATE, SEARCH) == ["search"]


def test_principals_are_told_apart_by_what_the_rules_read() -> None:
    named = loaded(rule("permit", 'when { principal.name like "cl*" && context.input has query }'))
    assert [named.could_allow(principal(name), SEARCH, NOON) for name in ("claude", "cursor", 'cl"\n\\\u200dé')] == [True, False, True]


def test_what_is_seen_follows_the_clock() -> None:
    noon = loaded(rule("permit", "when { context.time.hour == 12 && context.input has query }"))
    hour = 3600
    assert [noon.could_allow(CLAUDE, SEARCH, at(NOON.unix_seconds + later)) for later in (-hour, 0, hour - 1, hour)] == [
        False,
        True,
        True,
        False,
    ]


def test_what_is_not_approved_is_not_seen() -> None:
    assert seen(loaded(PERMIT), target("github", "unheard_of"), target(UpstreamId("nowhere"), "x")) == []
