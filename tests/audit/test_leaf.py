"""What a leaf says, and what it never says."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doorward.audit.leaf import CHAIN, GROUP_CHARACTERS, GROUPS, LEAF_BYTES, Bodies, cut, encoded, frame, micros, moment
from doorward.audit.query import facts
from doorward.audit.store import Box
from doorward.audit.veil import FIELDS, Veil, commitment
from doorward.domain.actors import ALL_SCOPES, Actor, Agent, AuthnMethod, Bound, Principal, Proof, Subject
from doorward.domain.approvals import Grant
from doorward.domain.calls import Answer, Call, Reply
from doorward.domain.decisions import Allow, Ask, Deny, Observation
from doorward.domain.findings import Finding, Severity
from doorward.domain.flow import Flow, Label, Taint
from doorward.domain.ids import AgentId, Digest, Generation, GrantId, PolicyId, SubjectId, TeamId, WaiverId
from doorward.domain.reasons import Reason
from doorward.domain.receipts import Event, Flowed, Intent, Outcome, Refusal, Status
from tests import made

VEIL = Veil(b"k" * 32)
BODIES = Bodies("node-1", VEIL)
TS = "2026-01-02T03:04:05.678901Z"
CLEAR = "4711-secret"
BOX = Box(3, b"n" * 12, 17, b"sealed")


def of_person() -> Principal:
    return replace(
        made.principal(),
        subject=Subject(SubjectId("ann@example.com"), frozenset()),
        actors=(Actor("bob@example.com", "https://idp", made.principal("planner").agent),),
    )


def intent(call: Call, **fields: object) -> Intent:
    plain = Intent(call, Allow((PolicyId("p1"),)), (), None, "static", Generation(3), "00-ab-cd-01")
    return replace(plain, **fields)  # type: ignore[arg-type]


def written(body: dict[str, object]) -> dict[str, object]:
    leaf: dict[str, object] = json.loads(frame(encoded(body), 17, TS))
    return leaf


def test_an_intent_says_who_what_and_on_whose_word() -> None:
    call = made.call({"account": CLEAR}, by=of_person())
    told = intent(
        call,
        decision=Allow((PolicyId("p1"),), would=Deny((PolicyId("p2"),), "not at night")),
        findings=(Finding("secrets", "aws-key", Severity.HIGH, "/account"),),
        grant=Grant(GrantId("g1"), call.digest, None, "claude", "eve", TS),
    )
    arguments = BODIES.arguments(commitment(b"s" * 16, call.canonical), call.arguments)
    leaf = written(BODIES.intent(told, arguments, BOX))
    assert leaf == {
        "v": 1,
        "seq": 17,
        "ts": TS,
        "node": "node-1",
        "type": "intent",
        "call": call.id,
        "method": "tools/call",
        "principal": {
            "agent": "claude",
            "team": "support",
            "subject": VEIL.pseudonym("ann@example.com"),
            "subject_issuer": "",
            "groups": [],
            "act": [{"id": VEIL.pseudonym("bob@example.com"), "issuer": "https://idp", "agent": "planner", "team": "support"}],
            "method": "agent_key",
            "credential_id": "key1",
        },
        "upstream": "git",
        "kind": "tool",
        "name": "commit",
        "owner": "platform",
        "definition": "d1",
        "arguments": {"commitment": commitment(b"s" * 16, call.canonical), "fields": {"/account": VEIL.value(CLEAR)}},
        "decision": {
            "effect": "allow",
            "policies": ["p1"],
            "generation": 3,
            "would": {"effect": "deny", "policies": ["p2"], "detail": "not at night"},
        },
        "findings": [{"guard": "secrets", "rule": "aws-key", "severity": "high", "pointer": "/account"}],
        "side": BOX.digest,
        "approval": {"id": "g1", "by": "eve"},
        "credential": {"kind": "static"},
        "trace": "00-ab-cd-01",
    }


def principal_of(who: Principal) -> object:
    return written(BODIES.intent(intent(made.call(by=who)), {"commitment": ""}, None))["principal"]


def test_a_leaf_says_what_a_principal_was_verified_by_and_the_subject_by_pseudonym_alone() -> None:
    proof = Proof(frozenset({"mcp:read", "mcp:git"}), "self", "https://client.example/id", "fam1", "t" * 43, Bound.DPOP)
    person = replace(of_person(), actors=(), method=AuthnMethod.ACCESS_TOKEN, credential="a1b2", proof=proof)
    assert principal_of(person) == {
        "agent": "claude",
        "team": "support",
        "subject": VEIL.pseudonym("ann@example.com"),
        "subject_issuer": "",
        "groups": [],
        "act": [],
        "method": "access_token",
        "credential_id": "a1b2",
        "issuer": "self",
        "client": "https://client.example/id",
        "family": "fam1",
        "certificate": "t" * 43,
        "bound": "dpop",
        "scopes": ["mcp:git", "mcp:read"],
    }


def test_who_vouches_for_a_person_is_told_and_the_groups_by_pseudonym_as_far_as_they_fit() -> None:
    subject = Subject(SubjectId("corp:ann"), frozenset({"corp:finance", "corp:board"}))
    told = principal_of(replace(made.principal(), subject=subject))
    groups = sorted(VEIL.pseudonym(name)[:GROUP_CHARACTERS] for name in subject.groups)
    assert isinstance(told, dict)
    assert {name: told.get(name) for name in ("subject_issuer", "groups", "groups_cut")} == {
        "subject_issuer": "corp",
        "groups": groups,
        "groups_cut": None,
    }
    many = principal_of(
        replace(made.principal(), subject=replace(subject, groups=frozenset(f"corp:{number}" for number in range(GROUPS + 1))))
    )
    assert isinstance(many, dict)
    assert (len(many["groups"]), many["groups_cut"]) == (GROUPS, True)


def test_a_chain_that_is_longer_than_a_leaf_tells_says_so() -> None:
    link = Actor("bob", "https://idp", made.principal("planner").agent)
    told = [principal_of(replace(made.principal(), actors=(link,) * count)) for count in (CHAIN, CHAIN + 1)]
    assert [(len(one["act"]), one.get("act_cut")) for one in told] == [(CHAIN, None), (CHAIN, True)]  # type: ignore[index, attr-defined]


def test_what_a_credential_does_not_have_is_left_out_and_no_scope_at_all_is_told() -> None:
    plain: dict[str, object] = {
        "agent": "claude",
        "team": "support",
        "subject": None,
        "act": [],
        "method": "agent_key",
        "credential_id": "key1",
    }
    assert principal_of(made.principal()) == plain
    assert principal_of(replace(made.principal(), proof=Proof(frozenset()))) == {**plain, "scopes": []}


def test_two_proofs_of_one_credential_are_told_apart() -> None:
    one, other = (replace(made.principal(), proof=Proof(ALL_SCOPES, certificate=text * 43)) for text in "ab")
    assert [leaf["certificate"] for leaf in (principal_of(one), principal_of(other))] == ["a" * 43, "b" * 43]  # type: ignore[index]


def test_an_outcome_says_how_it_ended() -> None:
    call = made.call()
    told = Outcome(
        call, Status.WITHHELD, Reason.UNSAFE_RESPONSE, "secrets/aws at /a", (), Answer({}, 99), None, {"kind": "static", "id": "l1"}, 12
    )
    leaf = written(BODIES.outcome(told, None, None))
    assert leaf["result"] == {"status": "withheld", "ms": 12, "bytes": 99, "reason": "unsafe_response", "detail": "secrets/aws at /a"}
    assert leaf["credential"] == {"kind": "static", "id": "l1"}


@pytest.mark.parametrize(
    ("reason", "kind", "effect"),
    [(Reason.FORBIDDEN, "refusal", "deny"), (Reason.STOPPED, "refusal", "refuse"), (None, "list", "allow")],
)
def test_a_refusal_says_whether_policy_or_something_else_refused(reason: Reason | None, kind: str, effect: str) -> None:
    call = made.call()
    told = Refusal(
        call.id, call.principal, "tools/call", "git", "tool", "commit", call, reason, "why", (PolicyId("p1"),), (), Generation(3), ""
    )
    leaf = written(BODIES.refusal(told, None, None))
    assert (leaf["type"], leaf["decision"]) == (kind, {"effect": effect, "policies": ["p1"], "reason": reason, "generation": 3})


def test_an_intent_says_by_which_set_what_was_let_pass_and_what_watched_rules_would_have_done() -> None:
    deny = Deny((PolicyId("no"),), "never")
    told = intent(
        made.call(),
        decision=Allow((), deny, WaiverId("w1,w2")),
        grant=Grant(GrantId("g1"), Digest("d"), None, "p", "ann, bob", "", b"{}"),
        policy_set=Digest("5e7"),
        observed=Observation((PolicyId("watched"),), Ask((PolicyId("watched"),), (), "money")),
    )
    leaf = written(BODIES.intent(told, {}, None))
    assert leaf["decision"] == {
        "effect": "allow",
        "policies": [],
        "generation": 3,
        "set": "5e7",
        "would": {"effect": "deny", "policies": ["no"], "detail": "never"},
        "waiver": "w1,w2",
        "observed": {"effect": "ask", "policies": ["watched"]},
    }
    assert leaf["approval"] == {"id": "g1", "by": "ann, bob", "edited": True}
    assert facts(frame(encoded(BODIES.intent(told, {}, None)), 17, TS)).marks >= {"waiver:w1", "waiver:w2", "observed:watched", "policy:no"}


def test_a_refusal_says_for_which_question_and_by_which_set() -> None:
    call = made.call()
    told = Refusal(
        call.id, call.principal, "tools/call", "git", "tool", "commit", call, Reason.PENDING, "", (PolicyId("p1"),), (), Generation(3), ""
    )
    asked = replace(told, policy_set=Digest("5e7"), observed=Observation((PolicyId("w"),), Allow(())), approval="g1")
    leaf = written(BODIES.refusal(asked, None, None))
    assert leaf["approval"] == {"id": "g1"}
    assert leaf["decision"] == {
        "effect": "refuse",
        "policies": ["p1"],
        "reason": "pending",
        "generation": 3,
        "set": "5e7",
        "observed": {"effect": "allow", "policies": ["w"]},
    }


def test_no_value_stands_in_a_leaf_in_clear() -> None:
    values = {"text": CLEAR, CLEAR: {"deep": [CLEAR, {"x": CLEAR}]}, "n": 47110815, "d": Decimal("47110815.5")}
    call = made.call(values, by=of_person())
    arguments = BODIES.arguments(commitment(b"s" * 16, call.canonical), call.arguments)
    finding = Finding("pii", "name", Severity.LOW, f"/{CLEAR}/deep/0")
    raw = frame(encoded(BODIES.intent(intent(call, findings=(finding,)), arguments, None)), 0, TS)
    for secret in (CLEAR.encode(), b"47110815", b"example.com", call.digest.encode()):
        assert secret not in raw


def test_a_value_has_one_mark_as_text_and_as_number() -> None:
    fields = VEIL.fields({"a": "4711", "b": 4711, "c": Decimal(4711), "d": ["4711"], "e": "4712", "f": True, "g": "true", "h": None})
    assert {fields[name] for name in ("/a", "/b", "/c", "/d/0")} == {VEIL.value("4711")}
    assert (fields["/e"] != fields["/a"], fields["/f"] == fields["/g"], "/h" in fields) == (True, True, False)
    assert Veil(b"x" * 32).value("4711") != VEIL.value("4711")
    assert VEIL.value("ann") != VEIL.pseudonym("ann")


def test_marks_are_hmac_sha256_cut_to_128_bits() -> None:
    key = b"\x0b" * 20 + bytes(12)
    veil = Veil(key)
    inner_and_outer = veil._mark(b"", "Hi There")
    assert inner_and_outer == "b0344c61d8db38535ca8afceaf0bf12b"
    with pytest.raises(ValueError, match="32 bytes"):
        Veil(b"short")


def test_no_more_than_64_fields_are_marked_and_the_shallow_ones_first() -> None:
    fields = VEIL.fields({"list": [[str(number)] for number in range(100)], **{f"f{number}": number for number in range(50)}, "last": 1})
    assert len(fields) == FIELDS
    assert "/last" in fields
    wide = VEIL.fields({"list": list(range(5000)), "after": 1})
    assert "/after" in wide


def test_looking_for_fields_has_an_end() -> None:
    deep: dict[str, object] = {"leaf": 1}
    for _ in range(60):
        deep = {"a": deep}
    assert VEIL.fields(deep) == {}
    assert VEIL.fields({"a": [[[]] * 1000] * 1000}) == {}


TEXT = st.text(max_size=2000) | st.just("\x00" * 3000) | st.just("é€😀" * 1000) | st.just("\ud800" * 3000)


@given(st.lists(TEXT, min_size=1, max_size=40), st.integers(0, 200))
@example(["😀" * 2000] * 40, 200)
def test_no_leaf_is_longer_than_an_entry_may_be(texts: list[str], count: int) -> None:
    long = texts[0]
    who = replace(
        made.principal(),
        agent=Agent(AgentId(long), long, TeamId(long), "x"),
        actors=tuple(Actor(text, text, made.principal().agent) for text in texts),
    )
    call = replace(made.call(), arguments={text: text for text in texts}, principal=who, target=made.target(name=long))
    findings = tuple(Finding("g" * 60, "r" * 60, Severity.LOW, f"/{long}" * 20) for _ in range(count))
    policies = tuple(PolicyId(text) for text in texts) * 10
    told = intent(
        call,
        findings=findings,
        decision=Allow(policies, Deny(policies, long), WaiverId(long)),
        grant=Grant(GrantId("g"), call.digest, None, "p", long, "", b"{}"),
        trace=long,
        policy_set=Digest("d" * 64),
        observed=Observation(policies, Deny(policies, long)),
        flowed=Flowed(
            Flow(Label(categories=frozenset(texts)), tuple(Taint(f"/{text}", text) for text in texts), findings=frozenset(texts)),
            is_traced=True,
        ),
    )
    leaf = frame(encoded(BODIES.intent(told, BODIES.arguments("c", call.arguments), BOX)), 2**53, TS)
    assert len(leaf) <= LEAF_BYTES
    assert json.loads(leaf)["side"] == BOX.digest


def test_an_event_with_too_many_fields_is_shortened_and_says_so() -> None:
    leaf = written(BODIES.event(Event("config_loaded", "ann", {f"field{number}": "x" * 500 for number in range(500)})))
    assert (leaf["shortened"], leaf["by"], leaf["type"]) == (True, "ann", "config_loaded")


@pytest.mark.parametrize("value", [2**53, -(2**53), 1.5])
def test_an_event_holds_no_number_that_readers_read_differently(value: int) -> None:
    with pytest.raises(ValueError, match="below 2\\^53"):
        BODIES.event(Event("config_loaded", "ann", {"n": value}))


def test_an_event_cannot_pass_for_a_call() -> None:
    with pytest.raises(ValueError, match="besides"):
        BODIES.event(Event("outcome", "ann", {}))


def test_an_unknown_outcome_repeats_what_its_intent_said() -> None:
    call = made.call()
    raw = frame(encoded(BODIES.intent(intent(call), {"commitment": "c", "fields": {}}, None)), 4, TS)
    leaf = written(BODIES.unknown(raw))
    assert (leaf["type"], leaf["call"], leaf["upstream"], leaf["result"]) == ("outcome", call.id, "git", {"status": "unknown"})
    assert leaf["principal"] == json.loads(raw)["principal"]


def test_the_same_event_makes_the_same_bytes() -> None:
    assert frame(b'{"type":"x"}', 3, TS) == b'{"v":1,"seq":3,"ts":"2026-01-02T03:04:05.678901Z","type":"x"}'


@given(st.integers(0, 4_000_000_000_000_000))
def test_moments_are_read_back_and_sort_like_numbers(at: int) -> None:
    assert micros(frame(b'{"type":"x"}', 0, moment(at))) == at
    assert moment(at) < moment(at + 1)
    assert len(moment(at)) == 27


@given(st.text() | st.text(st.characters(categories=["Cs"])))
def test_any_text_becomes_one_that_utf8_holds_and_terminals_survive(text: str) -> None:
    assert len(cut(text, 20)) <= 20
    assert cut(text, 20).isprintable()
    cut(text, 20).encode()


def test_a_reply_is_no_part_of_a_leaf() -> None:
    told = Outcome(made.call(), Status.DELIVERED, None, "", (), Answer({"a": CLEAR}, 9), Reply({"a": CLEAR}), {}, 1)
    assert CLEAR.encode() not in frame(encoded(BODIES.outcome(told, commitment(b"s" * 16, b"x"), BOX)), 0, TS)
