"""What of a call a leaf does not hold is said, cause by cause, and only where policies would read it."""

import json
from collections.abc import Mapping

import pytest

from doorward.audit.leaf import LISTED, encoded, frame, moment
from doorward.audit.veil import commitment
from doorward.domain.actors import Principal
from doorward.domain.calls import Call
from doorward.domain.decisions import Allow
from doorward.domain.ids import Generation, PolicyId
from doorward.domain.receipts import Intent
from doorward.runtime.replay.causes import SENTENCES, Cause
from doorward.runtime.replay.recorded import Effect, Recorded, Verdict, recorded, verdict
from doorward.runtime.replay.restored import Restored, Restorer
from tests.policy.world import CREATE, NOON, call, loaded, policy, principal, user
from tests.runtime.replay.test_same import BODIES, PRESENT, whole

OPEN = policy("permit(principal, action, resource);", "open")
ARGUMENTS = {"owner": "acme"}
PERSON = principal(user=user("corp:bob", "corp:staff"))
NO_READS = (OPEN,)


def forbid(condition: str, scope: str = "principal") -> tuple[str, str]:
    action = 'action == Action::"github/create_issue"'
    return OPEN, policy(f"forbid({scope}, {action}, resource) when {{ {condition} }};", "shut")


def told(
    who: Principal, principal_of: Mapping[str, object] | None = None, fields: Mapping[str, object] | None = None
) -> tuple[Recorded, bytes]:
    """A leaf of an allowed call, with some of what it says of its principal, or beside it, said otherwise (None: left out)."""
    question = whole(call(CREATE, ARGUMENTS), who)
    body = json.loads(_raw(question))
    body["principal"] = _without({**body["principal"], **(principal_of or {})})
    return recorded(json.dumps(_without({**body, **(fields or {})})).encode()), question.canonical


def _raw(question: Call) -> bytes:
    arguments = BODIES.arguments(commitment(b"s" * 16, question.canonical), question.arguments)
    intent = Intent(question, Allow((PolicyId("open"),)), (), None, "none", Generation(1), "")
    return frame(encoded(BODIES.intent(intent, arguments, None)), 7, moment(int(NOON.unix_seconds * 1e6)))


def _without(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def lost(texts: tuple[str, ...], found: tuple[Recorded, bytes]) -> tuple[Cause, ...]:
    """What these policies would read of a call and nobody knows; none where they decide it."""
    decided = Restorer(loaded(*texts), PRESENT).decide(*found)
    return decided if isinstance(decided, tuple) else ()


IN_GROUP = forbid('principal in Group::"corp:board"')
OF_USER = forbid("true", 'principal in User::"corp:ann"')
VOUCHED = forbid('principal has user && principal.user.issuer == "corp"')
SCOPED = forbid('context.scopes.contains("mcp:github")')
OF_CLIENT = forbid('context.client == "c1"')
EARLIER = {"subject_issuer": None, "groups": None}
LINK = {"id": "x", "issuer": "corp", "agent": "cursor"}
STRANGER = {"id": "x", "issuer": "corp", "agent": "nobody", "team": "support"}


@pytest.mark.parametrize(
    ("of_principal", "texts", "expected"),
    [
        (EARLIER, forbid("true", 'principal in Group::"corp:board"'), (Cause.GROUPS,)),
        # A principal that is compared as a whole counts as read with all that it has.
        (EARLIER, IN_GROUP, (Cause.ISSUER, Cause.GROUPS)),
        (EARLIER, OF_USER, ()),
        (EARLIER, VOUCHED, (Cause.ISSUER,)),
        (EARLIER, forbid('principal has user && principal.user.issuer == "corp"', 'principal in User::"corp:bob"'), ()),
        ({"groups_cut": True}, IN_GROUP, (Cause.GROUPS,)),
        ({"groups_cut": True}, VOUCHED, ()),
        ({"scopes": [f"mcp:s{number}" for number in range(LISTED)]}, SCOPED, (Cause.CREDENTIAL,)),
        ({"scopes": ["mcp:read"]}, SCOPED, ()),
        ({"client": "https://long.example/…"}, OF_CLIENT, (Cause.CREDENTIAL,)),
        ({"client": "https://long.example/…"}, VOUCHED, ()),
        ({"act": [LINK], "act_cut": True}, NO_READS, (Cause.CHAIN,)),
        ({"act": [LINK]}, NO_READS, ()),
        ({"act": [{**LINK, "agent": "nobody"}]}, NO_READS, (Cause.AGENT,)),
        ({"act": [STRANGER]}, NO_READS, ()),
        ({"act": [STRANGER]}, forbid('principal.kind == "desktop"'), (Cause.AGENT,)),
        ({"method": "handshake"}, NO_READS, (Cause.PERSON,)),
    ],
)
def test_what_a_principal_lacks_matters_where_policies_read_it(
    of_principal: Mapping[str, object], texts: tuple[str, ...], expected: tuple[Cause, ...]
) -> None:
    assert lost(texts, told(PERSON, of_principal)) == expected


@pytest.mark.parametrize(
    ("fields", "texts", "expected"),
    [
        ({"upstream": "elsewhere"}, NO_READS, (Cause.GONE,)),
        ({"name": "gone"}, NO_READS, (Cause.GONE,)),
        ({"name": "create_iss…"}, NO_READS, (Cause.TARGET,)),
        ({"kind": "upstream"}, NO_READS, (Cause.TARGET,)),
        ({"definition": "1" * 64}, NO_READS, ()),
        ({"definition": "1" * 64}, forbid('context.input.owner == "acme"'), (Cause.CHANGED,)),
    ],
)
def test_what_was_called_must_be_what_it_was(fields: Mapping[str, object], texts: tuple[str, ...], expected: tuple[Cause, ...]) -> None:
    assert lost(texts, told(PERSON, None, fields)) == expected


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{", b'{"arguments": 1, "extras": {}}', b'{"arguments": {"owner": "a", "owner": "b"}, "extras": {}}']
)
def test_bytes_that_are_no_call_are_told_as_altered(text: bytes) -> None:
    assert lost(forbid('context.input.owner == "acme"'), (told(PERSON)[0], text)) == (Cause.ALTERED,)


def test_several_things_that_are_missing_are_all_told() -> None:
    texts = forbid('context has network && context.network.isLoopback() && principal.owner == "x" && context.input.owner == "acme"')
    found = Restorer(loaded(*texts), PRESENT).restore(told(principal("stranger"))[0], Cause.CUT)
    assert isinstance(found, Restored)
    assert found.lost == (Cause.NETWORK, Cause.AGENT, Cause.CUT)


def test_a_person_that_no_policy_names_has_no_name_that_one_could_have() -> None:
    found = Restorer(loaded(*OF_USER), PRESENT).restore(*told(PERSON))
    assert isinstance(found, Restored)
    subject = found.call.principal.subject
    assert subject is not None
    assert (subject.id.partition(":")[0], subject.id.startswith("corp:?"), subject.groups) == ("corp", True, frozenset())
    named = Restorer(
        loaded(
            *forbid("true", 'principal in User::"corp:bob"'), policy('forbid(principal in Group::"corp:staff", action, resource);', "g")
        ),
        PRESENT,
    )
    found = named.restore(*told(PERSON))
    assert isinstance(found, Restored)
    assert found.call.principal.subject == PERSON.subject


def test_every_cause_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Cause)


def refusal(reason: str, *policies: str, **fields: object) -> Recorded:
    decision = {"effect": "refuse", "reason": reason, "policies": policies}
    body = {"ts": "2026-11-18T12:00:00.000000Z", "type": "refusal", "decision": decision, "arguments": {"commitment": "c"}}
    return recorded(json.dumps({**body, **fields}).encode())


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (refusal("forbidden", "p"), Verdict(Effect.DENY, ("p",))),
        (refusal("forbidden", "p", approval={"id": "q"}), None),
        (refusal("pending", "p"), Verdict(Effect.ASK, ("p",))),
        (refusal("rejected"), Verdict(Effect.ASK, ())),
        (refusal("grant_gone", "p"), Verdict(Effect.ASK, ("p",))),
        (refusal("pending", "doorward.findings"), Verdict(Effect.ALLOW, ())),
        (refusal("pending", "doorward.findings", "p"), Verdict(Effect.ASK, ("p",))),
        (refusal("pending", arguments=None), None),
        (refusal("stopped"), None),
        (refusal("insufficient_scope", "p"), None),
    ],
)
def test_a_refusal_says_what_policy_decided_where_it_was_policy(found: Recorded, expected: Verdict | None) -> None:
    assert verdict(found) == expected


def test_an_answer_that_was_shown_after_a_yes_is_no_decision_on_a_call() -> None:
    body = {"ts": "2026-11-18T12:00:00.000000Z", "type": "intent", "decision": {"effect": "ask", "policies": ["doorward.answers"]}}
    assert verdict(recorded(json.dumps(body).encode())) is None
