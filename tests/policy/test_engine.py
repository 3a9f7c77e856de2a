"""The decision: who wins, what an error does, what is asked, what is only observed."""

from doorward.domain.actors import AuthnMethod
from doorward.domain.catalog import Kind, Target
from doorward.domain.decisions import Allow, Ask, Decision, Deny, Need, Observation
from doorward.domain.ids import PolicyId
from doorward.policy import engine
from doorward.policy.engine import OWN_DISCOVERY, Policies, observe
from doorward.policy.problems import Problems
from doorward.policy.rules import Source
from doorward.policy.schema import SchemaEntry
from tests.policy.world import (
    CLAUDE,
    CREATE,
    DELETE,
    ENTRIES,
    FILE,
    MAIL,
    NOON,
    PAY,
    REVIEW,
    SEARCH,
    UPSTREAMS,
    WHOLE_GITHUB,
    call,
    load,
    loaded,
    policy,
    principal,
    target,
    user,
)

ANY = "(principal, action, resource)"
PERMIT = policy(f"permit{ANY};", "open")


def allow(*policies: str) -> Allow:
    return Allow(tuple(map(PolicyId, policies)))


def deny(reason: str, *policies: str, sentence: str | None = None) -> Deny:
    return Deny(tuple(map(PolicyId, policies)), reason, sentence)


NOTHING = deny("no policy permits it")


def decided(*texts: str, what: Target = CREATE, **arguments: object) -> Decision:
    return loaded(*texts).decide(call(what, arguments), NOON)


def test_without_a_policy_nothing_is_allowed() -> None:
    assert decided(owner="acme") == NOTHING


def test_every_matching_permit_is_named_in_the_order_of_the_file() -> None:
    assert decided(policy(f"permit{ANY};", "z"), policy(f"permit{ANY};", "a"), owner="acme") == allow("z", "a")


def test_a_matching_forbid_wins_and_its_reason_is_told() -> None:
    assert decided(PERMIT, policy(f"forbid{ANY};", "shut"), owner="acme") == deny("shut says so", "shut", sentence="shut says so")


def test_a_reason_that_is_not_public_stays_with_the_operator() -> None:
    hidden = policy(f"forbid{ANY};", "shut", public="no")
    told = policy(f"forbid{ANY};", "closed")
    assert decided(PERMIT, hidden, owner="acme") == deny("shut says so", "shut")
    assert decided(PERMIT, hidden, told, owner="acme") == deny("shut says so; closed says so", "shut", "closed", sentence="closed says so")


def test_a_forbid_that_fails_denies_and_is_named() -> None:
    overflow = policy(f"forbid{ANY} when {{ context.input has limit && context.input.limit * 9223372036854775807 > 0 }};", "count")
    decision = decided(PERMIT, overflow, what=SEARCH, limit=2)
    assert isinstance(decision, Deny)
    assert decision.policies == ("count",)
    assert decision.reason.startswith("policy count could not be evaluated: `integer overflow")
    assert decision.sentence is None


def test_a_permit_that_fails_denies_though_another_permits() -> None:
    overflow = policy(f"permit{ANY} when {{ context.input has limit && context.input.limit * 9223372036854775807 > 0 }};", "count")
    decision = decided(PERMIT, overflow, what=SEARCH, limit=2)
    assert isinstance(decision, Deny)
    assert decision.policies == ("count",)


def test_an_approval_that_fails_denies() -> None:
    overflow = policy(
        f"forbid{ANY} when {{ context.input has limit && context.input.limit * 9223372036854775807 > 0 }};", "count", approval="ops"
    )
    assert isinstance(decided(PERMIT, overflow, what=SEARCH, limit=2), Deny)


ASKING = policy(f"forbid{ANY};", "four-eyes", approval="finance")


def test_a_permit_and_a_forbid_with_approval_ask() -> None:
    decision = decided(PERMIT, ASKING, owner="acme")
    assert isinstance(decision, Ask)
    assert decision == Ask((PolicyId("four-eyes"),), (Need("finance"),), "four-eyes says so", decision.basis)
    assert len(decision.basis) == 64


def test_several_approvals_ask_all_their_approvers() -> None:
    decision = decided(PERMIT, ASKING, policy(f"forbid{ANY};", "seen", approval="security"), owner="acme")
    assert isinstance(decision, Ask)
    assert decision.policies == ("four-eyes", "seen")
    assert decision.approvers == frozenset({"finance", "security"})


def test_one_forbid_without_approval_denies_whatever_the_others_ask() -> None:
    assert decided(PERMIT, ASKING, policy(f"forbid{ANY};", "shut"), owner="acme") == deny(
        "four-eyes says so; shut says so", "four-eyes", "shut", sentence="four-eyes says so"
    )


def test_nobody_is_asked_where_no_policy_permits() -> None:
    assert decided(ASKING, owner="acme") == deny("no policy permits it", "four-eyes")


def test_what_is_asked_is_bound_to_the_text_of_the_asking_policies_alone() -> None:
    def basis(*texts: str) -> str:
        decision = decided(*texts, owner="acme")
        assert isinstance(decision, Ask)
        return decision.basis

    other = policy(f"permit{ANY} when {{ context.time.hour < 25 }};", "other")
    changed = ASKING.replace("four-eyes says so", "two pairs of eyes")
    assert basis(PERMIT, ASKING) == basis(PERMIT, other, ASKING) != basis(PERMIT, changed)


def test_observing_policies_decide_nothing() -> None:
    shut = policy(f"forbid{ANY};", "shut", mode="observe")
    policies = loaded(PERMIT, shut)
    asked = call(CREATE, {"owner": "acme"})
    assert policies.decide(asked, NOON) == allow("open")
    assert policies.observed(asked, NOON) == Observation((PolicyId("shut"),), deny("shut says so", "shut", sentence="shut says so"))


def test_an_observing_permit_permits_nothing() -> None:
    policies = loaded(policy(f"permit{ANY};", "try", mode="observe"))
    asked = call(CREATE, {"owner": "acme"})
    assert policies.decide(asked, NOON) == NOTHING
    assert policies.observed(asked, NOON) == Observation((PolicyId("try"),), allow("try"))


def test_an_observing_policy_that_fails_harms_nothing() -> None:
    overflow = policy(
        f"forbid{ANY} when {{ context.input has limit && context.input.limit * 9223372036854775807 > 0 }};", "count", mode="observe"
    )
    policies = loaded(PERMIT, overflow)
    asked = call(SEARCH, {"limit": 2})
    observed = policies.observed(asked, NOON)
    assert policies.decide(asked, NOON) == allow("open")
    assert observed is not None
    assert (observed.policies, type(observed.would)) == ((), Deny)


def test_there_is_nothing_to_observe_where_no_observing_policy_can_match() -> None:
    policies = loaded(PERMIT, policy('forbid(principal, action in Action::"bank", resource);', "shut", mode="observe"))
    assert policies.observed(call(CREATE), NOON) is None


def test_groups_teams_users_and_upstreams_are_matched() -> None:
    who = principal(user=user("alice", "staff"))
    for scope in (
        'principal == Agent::"claude", action, resource',
        'principal in Team::"support", action, resource',
        'principal in User::"alice", action, resource',
        'principal in Group::"staff", action, resource',
        "principal is Agent, action, resource",
        'principal is Agent in Group::"staff", action, resource',
        'principal, action == Action::"github/create_issue", resource',
        'principal, action in Action::"github", resource',
        'principal, action in [Action::"destructive", Action::"write"], resource',
        'principal, action, resource == Upstream::"github"',
        'principal, action, resource in Upstream::"github"',
        'principal, action, resource in Team::"platform"',
        "principal, action, resource is Upstream",
        'principal, action, resource is Upstream in Team::"platform"',
    ):
        assert loaded(policy(f"permit({scope});")).decide(call(CREATE, {}, who), NOON) == allow("p"), scope


def test_others_are_not_matched() -> None:
    for scope in (
        'principal == Agent::"support", action, resource',
        'principal in Team::"claude", action, resource',
        'principal in User::"alice", action, resource',
        'principal in Group::"staff", action, resource',
        'principal, action == Action::"github/search", resource',
        'principal, action in Action::"read", resource',
        'principal, action, resource == Upstream::"bank"',
        'principal, action, resource in Team::"finance"',
    ):
        assert loaded(policy(f"permit({scope});")).decide(call(CREATE), NOON) == NOTHING, scope


def test_attributes_of_agent_and_upstream_can_be_read() -> None:
    own = policy("permit(principal, action, resource) when { resource in principal.team };", "own")
    assert loaded(own).decide(call(PAY, who=principal(team="finance")), NOON) == allow("own")
    assert loaded(own).decide(call(PAY), NOON) == NOTHING
    kinds = 'principal.name == "claude" && principal.owner == "bob" && principal.kind like "desk*" && resource.name == "github"'
    acting = (
        'principal has user && principal.user in Group::"staff" && context.authn == "agent_key" && context.reversibility == "irreversible"'
    )
    all_of_it = policy(f"permit(principal, action, resource) when {{ {kinds} && {acting} }};", "all")
    assert loaded(all_of_it).decide(call(CREATE, who=principal(user=user("alice", "staff"))), NOON) == allow("all")


def test_prompts_resources_and_completion_are_actions_of_their_own() -> None:
    complete = {"ref": {"type": "ref/prompt", "name": "review"}, "argument": {"name": "code", "value": "x"}}
    policies = loaded(
        policy('permit(principal, action == Action::"github/prompt/review", resource) when { context.input.code == "x" };', "prompt"),
        policy(
            'permit(principal, action == Action::"github/resources/read", resource) when { context.input.uri like "file:///srv/*" };',
            "file",
        ),
        policy(
            'permit(principal, action == Action::"github/completion/complete", resource) when { context.input.argument.name == "code" };',
            "help",
        ),
    )
    assert policies.decide(call(REVIEW, {"code": "x"}, method="prompts/get"), NOON) == allow("prompt")
    assert policies.decide(call(FILE, {"uri": FILE.name}, method="resources/read"), NOON) == allow("file")
    assert policies.decide(call(FILE, {"uri": "file:///etc/passwd"}, method="resources/read"), NOON) == NOTHING
    assert policies.decide(call(REVIEW, complete, method="completion/complete"), NOON) == allow("help")


def test_reading_is_what_prompts_resources_and_completion_are() -> None:
    policies = loaded(policy('permit(principal, action in Action::"read", resource);', "read"))
    for what, method in ((REVIEW, "prompts/get"), (FILE, "resources/read"), (REVIEW, "completion/complete")):
        assert policies.decide(call(what, method=method), NOON) == allow("read")


def test_what_is_not_in_the_catalogue_is_denied() -> None:
    missing = deny("it is not in the approved catalogue")
    assert decided(PERMIT, what=target("github", "unheard_of")) == missing
    assert decided(PERMIT, what=target("nowhere", "search")) == missing


def test_a_target_of_another_generation_is_denied() -> None:
    regrouped = target("github", "search", "write", reversibility=SEARCH.reversibility)
    assert decided(PERMIT, what=regrouped) == deny("it is not in the approved catalogue")


def test_lists_of_an_upstream_are_for_those_who_may_see_something_of_it() -> None:
    policies = loaded(policy('permit(principal == Agent::"claude", action in Action::"github", resource);', "github"))
    assert policies.decide(call(WHOLE_GITHUB, method="tools/list"), NOON) == Allow(())
    assert policies.decide(call(WHOLE_GITHUB, who=principal("other"), method="tools/list"), NOON) == deny(
        "no policy permits anything of this upstream"
    )


def test_the_gateway_itself_may_discover_and_nothing_else() -> None:
    own = principal("claude", method=AuthnMethod.OWN)
    policies = loaded(PERMIT, policy(f"forbid{ANY};", "shut"))
    assert policies.decide(call(WHOLE_GITHUB, who=own, method="server/discover"), NOON) == Allow((OWN_DISCOVERY,))
    assert policies.decide(call(CREATE, who=own), NOON) == deny("the gateway itself only discovers")
    assert policies.observed(call(CREATE, who=own), NOON) is None


def test_a_tool_cannot_pass_for_a_prompt_or_resource() -> None:
    disguised = tuple(target("mail", name) for name in ("prompt/x", "resources/read", "completion/complete", "tool/x"))
    prompt = target("mail", "x", kind=Kind.PROMPT)
    entries = (*(ENTRIES[0].__class__(what, None) for what in disguised), ENTRIES[0].__class__(prompt, None))
    policies = loaded(
        policy('permit(principal, action == Action::"mail/prompt/x", resource);', "prompt"),
        policy('permit(principal, action == Action::"mail/resources/read", resource);', "read"),
        policy('permit(principal, action == Action::"mail/completion/complete", resource);', "complete"),
        entries=entries,
        upstreams=(MAIL,),
    )
    assert [policies.decide(call(what), NOON) for what in disguised] == [NOTHING] * 4
    assert policies.decide(call(prompt, method="prompts/get"), NOON) == allow("prompt")
    named = policy('permit(principal, action == Action::"mail/tool/prompt/x", resource);', "tool")
    assert loaded(named, entries=entries, upstreams=(MAIL,)).decide(call(disguised[0]), NOON) == allow("tool")


def test_an_upstream_may_not_be_called_like_a_group() -> None:
    found = load(upstreams=(MAIL.__class__("read"),), entries=())
    assert isinstance(found, Problems)
    assert [str(problem) for problem in found.items] == ["error: an upstream may not be called `read`: policies know a group of that name"]


def test_the_digest_names_layers_paths_and_texts_in_any_order_and_no_catalogue() -> None:
    def digest(*sources: Source, entries: tuple[SchemaEntry, ...] = ENTRIES) -> str:
        found = engine.compile(sources, entries, UPSTREAMS)
        assert isinstance(found, Policies)
        return found.digest

    one, other = Source("a.cedar", PERMIT), Source("b.cedar", ASKING)
    distinct = [
        (one,),
        (one, other),
        (Source("c.cedar", PERMIT),),
        (Source("a.cedar", PERMIT, "platform"),),
        (Source("a.cedar", PERMIT + "// said"),),
        (Source("a.cedar", ASKING), Source("b.cedar", PERMIT)),
    ]
    assert len({digest(*sources) for sources in distinct}) == len(distinct)
    assert digest(one, other) == digest(other, one) == digest(one, other, entries=ENTRIES[:1])


def test_posture_observe_lets_pass_and_says_what_would_have_been() -> None:
    no = deny("shut says so", "shut")
    asked = Ask(
        (PolicyId("four-eyes"),),
        (
            Need("finance"),
            Need("security"),
        ),
        "so it is",
    )
    assert observe(no) == Allow((), would=no)
    assert observe(allow("open")) == allow("open")
    assert observe(asked) == Allow(
        (), would=Deny((PolicyId("four-eyes"),), "finance and security would be asked: so it is", is_question=True)
    )


def test_hostile_names_are_only_names() -> None:
    odd = target("mail", 'a"\\\n::b\u0000é😀')
    entries = (ENTRIES[0].__class__(odd, {"type": "object", "properties": {'q"\n': {"type": "string"}, "__entity": {"type": "string"}}}),)
    policies = loaded(policy('permit(principal, action, resource) when { context.authn like "*" };', "all"), entries=entries)
    assert policies.decide(call(odd, {"__entity": "x"}), NOON) == allow("all")
    assert policies.could_allow(CLAUDE, odd, NOON)


def test_two_policies_of_one_set_do_not_share_their_memory() -> None:
    one, other = loaded(PERMIT), loaded()
    assert isinstance(one, Policies)
    assert one.decide(call(DELETE), NOON) == allow("open")
    assert other.decide(call(DELETE), NOON) == NOTHING
