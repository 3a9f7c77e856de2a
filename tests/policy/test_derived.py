"""Facts that are derived of arguments: read by policies, denied where they cannot be had, unknown to lists."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest

from doorward.domain.actors import Actor
from doorward.domain.catalog import Kind
from doorward.domain.decisions import Allow, Decision, Deny
from doorward.domain.ids import PolicyId, UpstreamId
from doorward.policy import engine
from doorward.policy.engine import Policies
from doorward.policy.explain import explain
from doorward.policy.facts.email import Email
from doorward.policy.facts.fact import Fact, facts_text
from doorward.policy.facts.kind import Kind as FactKind
from doorward.policy.facts.numbers import Number
from doorward.policy.facts.path import Path
from doorward.policy.facts.url import Url
from doorward.policy.problems import Problems
from doorward.policy.rules import Source
from doorward.policy.schema import SchemaEntry
from tests.policy.world import CLAUDE, ENTRIES, FILE, GITHUB, NOON, NUMBER, TEXT, UPSTREAMS, call, entry, policy, target

FETCH = target("github", "fetch", "read")
SEND = target("mail", "send", "write")
HERE = (
    *ENTRIES,
    entry(FETCH, "url", url=TEXT, path=TEXT, count=NUMBER, either={"anyOf": [TEXT, NUMBER]}),
    entry(SEND, "to", to={"type": "array", "items": TEXT}, options={"type": "object", "properties": {"cc": TEXT}}),
)


def fact(name: str, of: str, kind: FactKind, what: tuple[str, str] = ("github", "fetch")) -> Fact:
    return Fact(UpstreamId(what[0]), what[1], name, tuple(of.split("/")[1:]), kind, f"upstreams.{what[0]}.tools.{what[1]}.facts.{name}")


class Counted:
    """A kind that counts how often it is asked."""

    def __init__(self, inner: FactKind) -> None:
        self._inner = inner
        self.asked = 0
        self.word, self.takes, self.options = inner.word, inner.takes, inner.options
        self.shape, self.shape_of_many = inner.shape, inner.shape_of_many

    def one(self, value: object) -> object:
        self.asked += 1
        return self._inner.one(value)

    def many(self, values: Sequence[object]) -> object:
        self.asked += 1
        return self._inner.many(values)


FACTS = (
    fact("target", "/url", Url()),
    fact("file", "/path", Path("/srv", {"reports": "/srv/reports"})),
    fact("recipients", "/to/*", Email(), ("mail", "send")),
    fact("copies", "/options/cc", Email(), ("mail", "send")),
)
HOST = policy(
    'permit(principal, action == Action::"github/fetch", resource) when { context.derived.target.host == "api.example.com" };', "host"
)
ROOT = policy(
    'forbid(principal, action == Action::"github/fetch", resource) when '
    '{ context.derived has file && context.derived.file.root != "reports" };',
    "root",
)
INSIDE = policy(
    'permit(principal, action == Action::"mail/send", resource) when { ["acme.example"].containsAll(context.derived.recipients.domains) };',
    "inside",
)


def load(*texts: str, facts: Sequence[Fact] = FACTS, entries: tuple[SchemaEntry, ...] = HERE) -> Policies | Problems:
    return engine.compile([Source("policies/test.cedar", "\n".join(texts))], entries, UPSTREAMS, declared=facts)


def loaded(*texts: str, facts: Sequence[Fact] = FACTS) -> Policies:
    found = load(*texts, facts=facts)
    assert isinstance(found, Policies), [str(problem) for problem in found.items]
    return found


def told(*texts: str, facts: Sequence[Fact] = FACTS) -> list[str]:
    found = load(*texts, facts=facts)
    items = found.warnings if isinstance(found, Policies) else found.items
    return [str(problem).removeprefix("policies/test.cedar:") for problem in items]


def decided(*texts: str, **arguments: object) -> Decision:
    return loaded(*texts).decide(call(FETCH, arguments), NOON)


def allow(*names: str) -> Allow:
    return Allow(tuple(map(PolicyId, names)))


def deny(reason: str, *names: str) -> Deny:
    return Deny(tuple(map(PolicyId, names)), reason)


def underived(name: str, of: str, reason: str, *names: str) -> Deny:
    """The denial of a call of which a fact cannot be derived; the caller is told of which argument."""
    sentence = f"Policy cannot decide on the argument `{of}`: {reason}."
    return replace(deny(f"`context.derived.{name}` cannot be decided on: {reason}", *names), sentence=sentence)


def test_a_policy_reads_what_an_argument_comes_to() -> None:
    assert decided(HOST, url="HTTPS://API.example.com.:443/x") == allow("host")
    assert decided(HOST, url="https://api.example.com@evil.example/") == deny("no policy permits it")


def test_an_argument_of_which_a_fact_cannot_be_derived_denies_and_is_not_repeated() -> None:
    assert decided(HOST, url="https://api.example.com\\@evil.example/") == underived(
        "target", "/url", "it holds a blank, a control character or a backslash", "host"
    )


def test_a_fact_of_an_argument_that_is_absent_is_absent() -> None:
    assert decided(HOST, ROOT, url="https://api.example.com/") == allow("host")
    assert decided(HOST, ROOT, url="https://api.example.com/", path=None) != allow()
    assert decided(HOST, ROOT, url="https://api.example.com/", path="reports/x") == allow("host")
    assert decided(HOST, ROOT, url="https://api.example.com/", path="reports/../x") == Deny(
        (PolicyId("root"),), "root says so", "root says so"
    )


def test_a_required_argument_that_is_missing_denies() -> None:
    assert decided(HOST) == underived("target", "/url", "it is required and not there", "host")


def test_a_fact_that_only_has_asks_for_denies_all_the_same_where_it_cannot_be_derived() -> None:
    rule = policy('permit(principal, action == Action::"github/fetch", resource) unless { context.derived has file };', "has")
    assert decided(rule, url="x") == allow("has")
    assert decided(rule, url="x", path="a\x00b") == underived(
        "file", "/path", "it holds a control character, one that cannot be seen, or a backslash", "has"
    )


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        (["ann@acme.example", "Bob <bob@ACME.example>"], allow("inside")),
        ([], allow("inside")),
        (["ann@acme.example", "eve@evil.example"], deny("no policy permits it")),
        (["ann@acme.example, eve@evil.example"], deny("no policy permits it")),
        (
            ["ann@acme.example", "ann@acme.example(@evil.example)"],
            underived("recipients", "/to/*", "it is not clearly one address after the other", "inside"),
        ),
        (
            "ann@acme.example",
            underived("recipients", "/to/*", "it is of the elements of a list, and there is no list", "inside"),
        ),
    ],
)
def test_a_fact_of_a_list_is_of_every_element(to: object, expected: Decision) -> None:
    assert loaded(INSIDE).decide(call(SEND, {"to": to}), NOON) == expected


def test_only_what_is_read_is_derived_and_only_once_for_a_decision() -> None:
    read, unread = Counted(Url()), Counted(Path("/srv", {}))
    policies = loaded(
        HOST,
        policy("permit(principal, action, resource);", "all"),
        facts=(fact("target", "/url", read), fact("file", "/path", unread)),
    )
    sub = replace(CLAUDE, actors=(Actor(CLAUDE.agent.id, "self", CLAUDE.agent),))
    question = call(FETCH, {"url": "https://api.example.com/", "path": "x"}, sub)
    assert isinstance(policies.decide(question, NOON), Allow)
    assert (read.asked, unread.asked) == (1, 0)


def test_a_rule_that_cannot_match_has_nothing_derived() -> None:
    kind = Counted(Url())
    other = policy(
        'forbid(principal == Agent::"other", action == Action::"github/fetch", resource) when { context.derived.target.host == "x" };'
    )
    policies = loaded(other, policy("permit(principal, action, resource);", "all"), facts=(fact("target", "/url", kind),))
    assert policies.decide(call(FETCH, {"url": "\x00"}), NOON) == allow("all")
    assert kind.asked == 0


def test_decisions_on_derived_facts_are_not_remembered() -> None:
    policies = loaded(HOST)
    urls = ["https://api.example.com/", "https://evil.example/", "https://api.example.com/"]
    assert [isinstance(policies.decide(call(FETCH, {"url": url}), NOON), Allow) for url in urls] == [True, False, True]


def test_lists_show_what_facts_could_open_and_hide_what_none_can() -> None:
    assert loaded(HOST).could_allow(CLAUDE, FETCH, NOON)
    never = policy('forbid(principal, action == Action::"github/fetch", resource) when { context.derived has file || true };', "never")
    assert not loaded(HOST, never).could_allow(CLAUDE, FETCH, NOON)


READS = policy(
    'permit(principal, action == Action::"github/resources/read", resource) when { context.derived.uri.path like "/srv/reports/*" };',
    "reads",
)


@pytest.mark.parametrize(
    ("uri", "is_allowed"),
    [
        ("file:///srv/reports/q3.txt", True),
        ("file:///srv/reports/../x", False),
        ("file:///srv/reports/%2e%2e/x", False),
        ("file:///srv/reports/..%2fx", False),
        ("file:///srv/reports/..\\x", False),
    ],
)
def test_the_address_of_a_resource_is_seen_for_what_it_is(uri: str, is_allowed: bool) -> None:
    policies, resource = loaded(READS, facts=()), replace(FILE, name=uri)
    question = call(resource, {"uri": uri}, method="resources/read")
    assert isinstance(policies.decide(question, NOON), Allow) == is_allowed
    assert policies.could_allow(CLAUDE, resource, NOON) == is_allowed


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (fact("x", "/nope", Url()), "the tool's schema has no argument /nope"),
        (fact("x", "/url/deeper", Url()), "the tool's schema has no argument /url/deeper"),
        (fact("x", "/url/*", Url()), "the tool's schema has no argument /url/*"),
        (fact("x", "/count", Url()), "a fact of the kind url cannot be derived of a number"),
        (
            fact("x", "/to", Email(), ("mail", "send")),
            "a fact of the kind email cannot be derived of a list; end the pointer in /* to take each element",
        ),
        (fact("x", "/url", Url(), ("github", "fetsh")), "github has nothing approved of the name `fetsh`; did you mean `fetch`?"),
    ],
)
def test_a_fact_that_does_not_fit_its_tool_is_an_error_with_its_place(facts: Fact, expected: str) -> None:
    assert told(facts=(facts,)) == [f"error: {facts.place}: {expected}"]


def test_a_fact_of_an_argument_that_may_be_of_several_types_is_taken_as_it_comes() -> None:
    either = policy('permit(principal, action == Action::"github/fetch", resource) when { context.derived has x };', "e")
    policies = loaded(either, facts=(fact("x", "/either", Number()),))
    assert policies.decide(call(FETCH, {"url": "u", "either": "12.5"}), NOON) == allow("e")
    assert isinstance(policies.decide(call(FETCH, {"url": "u", "either": "twelve"}), NOON), Deny)


def test_names_that_no_fact_has_are_errors() -> None:
    def rule(reads: str) -> str:
        return f'permit(principal, action == Action::"github/fetch", resource) when {{ {reads} }};'

    assert told(policy(rule('context.derived.targt.host == "x"'))) == [
        "3:86: error: policy p: there is no `context.derived.targt` of github/fetch; did you mean `target`?"
    ]
    assert told(policy(rule('context.derived.target.hots == "x"'))) == [
        "3:93: error: policy p: there is no `context.derived.target.hots` of github/fetch; did you mean `host`?"
    ]
    assert told(policy(rule('context.derived.file.root == "x"'))) == [
        "3:86: error: policy p: `context.derived.file` may be absent for github/fetch; write `context.derived has file &&` before it"
    ]


def test_while_nothing_of_an_upstream_is_approved_its_facts_are_warned_of() -> None:
    found = engine.compile([Source("p", HOST)], (), [GITHUB], declared=(FACTS[0],))
    assert isinstance(found, Policies)
    assert [str(one) for one in found.warnings if "facts" in one.message] == [
        f"warning: {FACTS[0].place}: the tool `fetch` cannot be checked: nothing of github is approved yet, or something waits for it"
    ]


def test_a_fact_that_fits_no_longer_denies_whoever_reads_it() -> None:
    misfit = fact("target", "/gone", Url())
    found = engine.compile([Source("p", HOST)], HERE, UPSTREAMS, frozenset(), declared=(misfit,))
    assert isinstance(found, Policies)
    assert [str(one) for one in found.warnings] == [
        "warning: upstreams.github.tools.fetch.facts.target: the tool's schema has no argument /gone"
    ]
    assert isinstance(found.decide(call(FETCH, {"url": "https://api.example.com/"}), NOON), Deny)


def test_a_set_is_named_by_its_facts_as_well_in_whatever_order_they_are_declared() -> None:
    names = {loaded(facts=facts).digest for facts in ((), FACTS, FACTS[:2], (msgspec.structs.replace(FACTS[0], of=("path",)), *FACTS[1:]))}
    assert len(names) == 4
    assert loaded(facts=FACTS).digest == loaded(facts=FACTS[::-1]).digest
    assert facts_text(()) == ""


def test_prompts_and_completion_have_no_facts() -> None:
    rule = policy('permit(principal, action == Action::"github/completion/complete", resource) when { context.derived == {} };')
    subject = loaded(rule).decide(call(target("github", "review", kind=Kind.PROMPT), {}, method="completion/complete"), NOON)
    assert subject == allow("p")


def test_an_explanation_shows_the_facts_that_were_read() -> None:
    found = explain(loaded(HOST, ROOT), call(FETCH, {"url": "https://api.example.com/", "path": "\\"}), NOON)
    shown = {one.name: (one.value, one.is_there) for one in found.facts}
    assert shown["context.derived.target.host"] == ("api.example.com", True)
    assert shown["context.derived.file.root"] == (None, False)
