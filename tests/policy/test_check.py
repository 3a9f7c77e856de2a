"""Every thing that is said about a policy file at load, with its place."""

import pytest

from doorward.domain.ids import UpstreamId
from doorward.policy import engine
from doorward.policy.problems import Problem, Problems, Weight, cut
from doorward.policy.rules import Source
from doorward.policy.schema import SchemaEntry
from tests.policy.world import CREATE, ENTRIES, TEXT, entry, load, loaded, policy, problems, target

ANY = "(principal, action, resource)"


def said(body: str, **notes: str) -> list[str]:
    """What is said of one policy whose third line is `body`."""
    return problems(policy(body, **notes))


def test_a_good_policy_is_not_spoken_of() -> None:
    assert said(f"permit{ANY};") == []


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (f"permit{ANY};", ['1:1: error: the policy has no @id; put @id("a-name-of-its-own") before it',
                           '1:1: error: the policy has no @reason; put @reason("why, in a sentence") before it']),
        (f'@id("a") @reason(" ") permit{ANY};', ['1:1: error: policy a: the policy has no @reason; put @reason("why, in a sentence") before it']),
        (f'@id("a b") @reason("r") permit{ANY};',
         ["1:2: error: @id is 1 to 128 letters, digits and . _ / -, starting with a letter or digit, not `a b`"]),
        (f'@id("doorward.x") @reason("r") permit{ANY};', ["1:2: error: policy doorward.x: ids that start with doorward. are the gateway's own"]),
        (f'@id("a") @reason("r") @aproval("x") forbid{ANY};', ["1:24: error: policy a: there is no annotation @aproval; did you mean `approval`?"]),
        (f'@id("a") @reason("r") @approval("x") permit{ANY};',
         ["1:24: error: policy a: @approval stands on a forbid only: on a permit, any wider permit would undo it"]),
        (f'@id("a") @reason("r") @approval forbid{ANY};',
         ['1:24: error: policy a: @approval names nobody; write who may say yes, such as @approval("finance")']),
        (f'@id("a") @reason("r") @approval("0 of x") forbid{ANY};',
         ['1:24: error: policy a: @approval asks 1 to 9 people, as in @approval("2 of finance"), not `0`']),
        (f'@id("a") @reason("r") @approval("10 of x") forbid{ANY};',
         ['1:24: error: policy a: @approval asks 1 to 9 people, as in @approval("2 of finance"), not `10`']),
        (f'@id("a") @reason("r") @approval("-1 of x") forbid{ANY};',
         ['1:24: error: policy a: @approval asks 1 to 9 people, as in @approval("2 of finance"), not `-1`']),
        (f'@id("a") @reason("r") @approval("1.5 of x") forbid{ANY};',
         ['1:24: error: policy a: @approval asks 1 to 9 people, as in @approval("2 of finance"), not `1.5`']),
        (f'@id("a") @reason("r") @approval("٣ of x") forbid{ANY};',
         ['1:24: error: policy a: @approval asks 1 to 9 people, as in @approval("2 of finance"), not `٣`']),
        (f'@id("a") @reason("r") @approval("2 of ") forbid{ANY};',
         ['1:24: error: policy a: @approval names nobody; write who may say yes, such as @approval("finance")']),
        (f'@id("a") @reason("r") @owner("may") forbid{ANY};',
         ["1:24: error: policy a: @owner stands beside @approval only: it says whether the agent's owner may be the one who says yes"]),
        (f'@id("a") @reason("r") @approval("x") @owner("must") forbid{ANY};',
         ['1:39: error: policy a: @owner is "may", or is left out, so that the owner may not; not `must`']),
        (f'@id("a") @reason("r") @approval("x") @owner forbid{ANY};',
         ['1:39: error: policy a: @owner is "may", or is left out, so that the owner may not; not ``']),
        (f'@id("a") @reason("r") @exception("x") permit{ANY};',
         ["1:24: error: policy a: @exception stands on a forbid only: a permit has nothing that could be lifted"]),
        (f'@id("a") @reason("r") @exception(" ") forbid{ANY};',
         ['1:24: error: policy a: @exception names nobody; write which team may lift it, such as @exception("security")']),
        (f'@id("a") @reason("r") @mode("off") forbid{ANY};', ['1:24: error: policy a: @mode is "enforce" or "observe", not `off`']),
        (f'@id("a") @reason("r") @public("maybe") forbid{ANY};', ['1:24: error: policy a: @public is "yes" or "no", not `maybe`']),
        (f'@id("a") @reason("r") @reason("s") forbid{ANY};', ["1:11: error: duplicate annotation: @reason"]),
        ('@id("a") @reason("r") permit(principal == ?principal, action, resource);',
         ["1:1: error: a template with ?principal or ?resource is not a policy; write who is meant"]),
    ],
)  # fmt: skip
def test_annotations(text: str, messages: list[str]) -> None:
    assert problems(text) == messages


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("permit(principal, action resource);", "3:26: error: unexpected token `resource`"),
        (f"permit{ANY}\nwhen {{\n  context.input.title ==  }};", "5:28: error: unexpected token `}`"),
        (f"permit{ANY} when {{ foo(1) }};", "3:44: error: `foo` is not a valid function"),
        (f'permit{ANY} when {{ "a".matches("b") }};', "3:48: error: `matches` is not a valid method"),
        (f'permit{ANY} when {{ "abc }};', "3:44: error: invalid token"),
        (f"permit{ANY}", "1:1: error: unexpected end of input"),
        (f"permit{ANY} when {{ 99999999999999999999 == 1 }};", "3:65: error: integer parse error: number too large to fit in target type"),
        (f"allow{ANY};", "3:1: error: invalid policy effect: allow"),
    ],
)
def test_what_cannot_be_read(body: str, message: str) -> None:
    assert said(body) == [message]


def test_every_policy_of_a_file_is_read_though_one_is_broken() -> None:
    assert problems(
        policy("permit(;", "one"), policy(f"forbid{ANY} when {{ x }};", "two"), policy(f"permit{ANY};", "p"), f"permit{ANY};"
    ) == [
        "3:8: error: unexpected token `;`",
        "6:44: error: invalid variable: x",
        '10:1: error: the policy has no @id; put @id("a-name-of-its-own") before it',
        '10:1: error: the policy has no @reason; put @reason("why, in a sentence") before it',
    ]


def test_an_id_stands_once_in_all_files() -> None:
    one, other = Source("a.cedar", policy(f"permit{ANY};")), Source("b.cedar", "\n" + policy(f"forbid{ANY};"))
    found = engine.compile([one, other], ENTRIES, ["github", "bank"].__iter__())  # type: ignore[arg-type]
    assert isinstance(found, Problems)
    assert [str(problem) for problem in found.items] == ["b.cedar:2:2: error: policy p: the same @id stands at a.cedar:1"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('permit(principal, action == Action::"github/creat_issue", resource);',
         "3:37: error: policy p: github has nothing approved of the name `github/creat_issue`; did you mean `github/create_issue`?"),
        ('permit(principal, action == Action::"gihub/search", resource);',
         "3:37: error: policy p: there is no action or group `gihub/search`; did you mean `github/search`?"),
        ('permit(principal, action in Action::"reed", resource);',
         "3:37: error: policy p: there is no action or group `reed`; did you mean `read`?"),
        ('permit(principal, action, resource) when { action == Action::"zzz" };',
         "3:62: error: policy p: there is no action or group `zzz`"),
        ('permit(principal, action == Github::Action::"search", resource);',
         '3:45: error: policy p: actions have no namespace; write Action::"search"'),
        ('permit(principal, action, resource == Upstream::"gihub");',
         "3:49: error: policy p: there is no upstream `gihub`; did you mean `github`?"),
        ('permit(principal, action == Action::"github", resource);',
         '3:37: error: policy p: `github` is a group; write `action in Action::"github"`'),
        ('permit(principal == User::"alice", action, resource);',
         '3:8: error: policy p: a principal is always an Agent, never `User::"alice"`; write `principal in …` for what it stands in'),
        ("permit(principal is User, action, resource);",
         "3:8: error: policy p: a principal is always an Agent, never `User`; write `principal in …` for what it stands in"),
        ('permit(principal, action, resource == Team::"x");',
         '3:27: error: policy p: a resource is always an Upstream, never `Team::"x"`; write `resource in …` for what it stands in'),
        ('permit(principal in Upstream::"github", action, resource);', "1:1: error: policy p: its scope can match nothing"),
        ('permit(principal in Tem::"x", action, resource);', "3:21: error: policy p: there is no entity type `Tem`; did you mean `Team`?"),
        ('permit(principal, action == Action::"bank/pay", resource == Upstream::"github");',
         "3:19: warning: policy p: nothing approved is in its scope, so it decides nothing"),
    ],
)  # fmt: skip
def test_names_and_scopes(body: str, message: str) -> None:
    assert said(body) == [message]


CREATING = 'permit(principal, action == Action::"github/create_issue", resource)'
GITHUB = 'permit(principal, action in Action::"github", resource)'
OTHERS = "github/completion/complete, github/delete_repo, github/prompt/review and 2 more"
NOT_THERE = (
    f"3:78: error: policy p: `context.input.owner` is not there for {OTHERS}; write `context.input has owner &&` before it,"
    " or name the actions that have it"
)
UNREADABLE = (
    "3:82: warning: policy p: policy cannot read `context.input.ids` of github/search: it may be a string or a whole number;"
    " such a call is denied if the argument is there"
)
MANY = "github/completion/complete, github/create_issue, github/delete_repo and 3 more"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (CREATING + ' when { context.input.ownr == "a" };',
         "3:91: error: policy p: there is no `context.input.ownr` of github/create_issue; did you mean `owner`?"),
        (GITHUB + ' when { context.input has ownr && context.input.ownr == "a" };',
         f"3:82: error: policy p: there is no `context.input.ownr` of {MANY}; did you mean `owner`?"),
        (GITHUB + ' when { context.input.owner == "a" };',
         NOT_THERE),
        (CREATING + ' when { context.input.title == "a" };',
         "3:91: error: policy p: `context.input.title` may be absent for github/create_issue; write `context.input has title &&` before it"),
        (CREATING + " when { context.input.owner > 1 };", "1:1: error: policy p: unexpected type: expected Long but saw String"),
        (GITHUB + " when { context.input has ids };",
         UNREADABLE),
        ('permit(principal, action == Action::"github/search", resource) when { context.input has ids };',
         "3:89: error: policy p: policy cannot read `context.input.ids` of github/search: it may be a string or a whole number"),
        (CREATING + " when { context.input.owner.isLoopback() };", "1:1: error: policy p: unexpected type: expected ipaddr but saw String"),
        (CREATING + " when { context.time.houre == 1 };", "3:90: error: policy p: there is no `context.time.houre`; did you mean `hour`?"),
        (CREATING + ' when { context.network == ip("10.0.0.1") };',
         "3:85: error: policy p: `context.network` may be absent; write `context has network &&` before it"),
        (CREATING + " when { context has netwrk };", "3:89: error: policy p: there is no `context.netwrk`; did you mean `network`?"),
        (CREATING + ' when { principal.ownr == "a" };',
         "3:87: error: policy p: `principal` has no attribute `ownr`, only name, owner, kind, team, user; did you mean `owner`?"),
        (CREATING + " when { principal has groups };",
         "3:91: error: policy p: `principal` has no attribute `groups`, only name, owner, kind, team, user"),
        (CREATING + ' when { resource.nam == "a" };',
         "3:86: error: policy p: `resource` has no attribute `nam`, only name, team; did you mean `name`?"),
        (CREATING + ' when { (if true then principal else principal).ownr == "a" };', "3:117: error: policy p: Agent has no attribute `ownr`"),
        (CREATING + ' when { principal.user == User::"x" };',
         "3:87: error: policy p: `user` may be absent; write `principal has user &&` before it"),
        (CREATING + ' when { context.time.now < datetime("soon") };',
         '1:1: error: policy p: error during extension function argument validation: failed to parse as a datetime value: `"soon"`'),
        (CREATING + " when { ip(context.input.owner).isLoopback() };",
         "1:1: error: policy p: extension constructors may not be called with non-literal expressions"),
    ],
)  # fmt: skip
def test_attributes_and_types(body: str, message: str) -> None:
    assert said(body)[0] == message


def test_a_tool_whose_schema_says_nothing_cannot_be_read() -> None:
    odd = SchemaEntry(target("mail", "send"), {"type": "string"})
    body = 'permit(principal, action == Action::"mail/send", resource) when { context.input has to };'
    assert problems(policy(body), entries=(odd,)) == [
        "3:85: error: policy p: policy cannot read `context.input.to` of mail/send: its schema is not that of an object"
    ]


def test_names_of_an_upstream_without_anything_approved_are_warnings() -> None:
    send = policy('permit(principal, action in [Action::"mail/send", Action::"github/search"], resource);')
    to = policy('forbid(principal, action in Action::"mail", resource) when { context.input has to && context.input.to == "x" };')
    assert problems(send) == ["3:38: warning: policy p: `mail/send` cannot be checked: nothing of mail is approved yet"]
    assert problems(to) == ["3:80: warning: policy p: there is no `context.input.to` of mail/completion/complete, mail/resources/read"]
    receive = (*ENTRIES, entry(target("mail", "receive"), folder=TEXT))
    assert problems(send, entries=receive) == ["3:38: error: policy p: mail has nothing approved of the name `mail/send`"]


def test_an_empty_catalogue_stops_no_policy() -> None:
    texts = (
        policy('permit(principal, action in Action::"write", resource == Upstream::"github");', "a"),
        policy('forbid(principal, action == Action::"github/create_issue", resource) when { context.input.owner == "x" };', "b"),
        policy('forbid(principal, action, resource) when { context.input has path && context.input.path like "/etc/*" };', "c"),
    )
    assert [problem.weight for problem in loaded(*texts, entries=()).warnings] == [Weight.WARNING] * 3


def test_everything_is_said_at_once() -> None:
    found = load(
        policy(f"permit{ANY} when {{ principal.ownr == context.input.x }};", "a"),
        policy('permit(principal, action in Action::"x", resource);', "b"),
    )
    assert isinstance(found, Problems)
    assert [(problem.policy, problem.line, problem.column) for problem in found.items] == [("a", 3, 54), ("a", 3, 76), ("b", 6, 37)]


def test_text_from_a_file_is_cut_and_kept_on_its_line() -> None:
    assert cut("a\nb\x1b[31m" + "c" * 100) == "`a�b�[31m" + "c" * 71 + "…`"
    assert str(Problem("", 0, 0, None, "x", Weight.WARNING)) == "warning: x"
    assert UpstreamId(CREATE.upstream) == "github"
