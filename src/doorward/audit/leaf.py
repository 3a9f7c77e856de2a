"""A leaf: one JSON object that says what happened without saying any value (AUDIT.md, point 2).

What the caller knows is encoded once, on its side; the committer frames it with the place it gives. Field order is fixed, so
the same event makes the same bytes; the hash is over these bytes, and verifying never parses and prints again.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from doorward.audit import flowed
from doorward.audit.store import Box
from doorward.audit.veil import Veil
from doorward.domain.actors import ALL_SCOPES, Actor, Bound, Principal, Proof, Subject
from doorward.domain.approvals import Grant
from doorward.domain.budgets import told
from doorward.domain.decisions import Allow, Ask, Decision, Deny, Observation
from doorward.domain.findings import Finding
from doorward.domain.ids import Digest, PolicyId
from doorward.domain.reasons import Reason
from doorward.domain.receipts import Event, Intent, Outcome, Refusal, Status

VERSION = 1
LEAF_BYTES = 60_000
"""Under the 65,535 that an entry of a tile can have."""
FRAME_BYTES = 96
"""More than the version, the longest index and the moment take."""
BODY_BYTES = LEAF_BYTES - FRAME_BYTES
CALL_TYPES = frozenset({"intent", "outcome", "refusal", "list"})

_TEXT = 512
_NAME = 128
LISTED = 32
"""Policies, findings or scopes of one leaf that are told."""
CHAIN = 8
"""Agents of a chain that are told."""
GROUPS = 64
"""Groups of a person that are told."""
GROUP_CHARACTERS = 16
"""Of a group's pseudonym: 64 bits tell a person's few groups apart from every other that a policy names."""
EXACT = 2**53
"""Integers below this are the same to every reader of JSON."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_WORDS: Mapping[type[Decision], str] = {Allow: "allow", Ask: "ask", Deny: "deny"}

_encoder = msgspec.json.Encoder()


def moment(micros: int) -> str:
    """RFC 3339 in UTC, always with six digits of a second: such texts sort like the moments."""
    return (_EPOCH + timedelta(microseconds=micros)).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def micros(leaf: bytes) -> int:
    """The moment of a leaf, in Unix microseconds."""
    ts: str = msgspec.json.decode(leaf)["ts"]
    return (datetime.fromisoformat(ts) - _EPOCH) // timedelta(microseconds=1)


def frame(body: bytes, seq: int, ts: str) -> bytes:
    """A leaf's bytes: version and place, then the fields that were encoded before."""
    return frames((body,), seq, ts)[0]


def frames(bodies: Iterable[bytes], first: int, ts: str) -> list[bytes]:
    """The bytes of leaves of one moment, from the place of the first."""
    told = ts.encode()
    return [b'{"v":%d,"seq":%d,"ts":"%s",%s' % (VERSION, seq, told, body[1:]) for seq, body in enumerate(bodies, first)]


def encoded(body: Mapping[str, object]) -> bytes:
    """The fields of a leaf, short enough to be framed."""
    raw = _encoder.encode(body)
    return raw if len(raw) <= BODY_BYTES else _short(_encoder.encode(_shortened(body)))


def _short(raw: bytes) -> bytes:
    assert len(raw) <= BODY_BYTES
    return raw


def _shortened(body: Mapping[str, object]) -> dict[str, object]:
    """A leaf too long loses what is only there to be searched; what is left is bounded field by field."""
    short = {key: value for key, value in body.items() if key not in {"findings", "fields", "session"}}
    arguments = short.get("arguments")
    if isinstance(arguments, Mapping):
        short["arguments"] = {"commitment": arguments["commitment"]}
    decision = short.get("decision")
    if isinstance(decision, Mapping):
        short["decision"] = {key: value for key, value in decision.items() if key != "observed"}
    return {**short, "shortened": True}


class Bodies:
    """Makes the fields of leaves for one node, all but their place."""

    __slots__ = ("_node", "_principals", "_same", "_veil", "fields")

    def __init__(self, node: str, veil: Veil) -> None:
        self._node = node
        self._veil = veil
        self.fields = veil.fields
        """What a leaf says of single arguments."""
        self._principals: dict[tuple[object, ...], msgspec.Raw] = {}
        self._same: dict[int, tuple[Principal, msgspec.Raw]] = {}

    def intent(self, intent: Intent, arguments: Mapping[str, object], box: Box | None) -> dict[str, object]:
        """The first leaf of a call; `arguments` as `self.arguments` gives them."""
        call = intent.call
        body: dict[str, object] = {
            "node": self._node,
            "type": "intent",
            "call": call.id,
            "method": call.method,
            "principal": self.principal(call.principal),
            "upstream": call.target.upstream,
            "kind": call.target.kind,
            "name": cut(call.target.name),
            "owner": call.target.team,
            "definition": call.target.definition,
            "arguments": arguments,
            "decision": _decision(intent),
        }
        if intent.flowed is not None:
            body["session"] = flowed.told(intent.flowed, self._veil)
        self._add(body, intent.findings, box)
        if intent.grant is not None:
            body["approval"] = _approval(intent.grant)
        if intent.draws:
            body["budgets"] = {cut(name, _NAME): amount for name, amount in told(intent.draws[:LISTED]).items()}
        body["credential"] = {"kind": intent.credential}
        if intent.trace:
            body["trace"] = cut(intent.trace)
        return body

    def outcome(self, outcome: Outcome, commitment: str | None, box: Box | None) -> dict[str, object]:
        """The second leaf of a call; `commitment` to the reply, where there is one."""
        call = outcome.call
        body: dict[str, object] = {
            "node": self._node,
            "type": "outcome",
            "call": call.id,
            "principal": self.principal(call.principal),
            "upstream": call.target.upstream,
            "kind": call.target.kind,
            "name": cut(call.target.name),
            "owner": call.target.team,
            "result": _result(outcome, commitment),
        }
        self._add(body, outcome.findings, box)
        if outcome.lease:
            body["credential"] = lease(outcome.lease)
        if outcome.endorsed:
            body["endorsed"] = cut(outcome.endorsed)
        return body

    def refusal(self, refusal: Refusal, arguments: Mapping[str, object] | None, box: Box | None) -> dict[str, object]:
        """The only leaf of a call that was refused, or of a list."""
        body: dict[str, object] = {
            "node": self._node,
            "type": "list" if refusal.reason is None else "refusal",
            "call": refusal.id,
            "method": cut(refusal.method),
            "principal": self.principal(refusal.principal),
            "upstream": cut(refusal.upstream),
            "kind": refusal.kind,
            "name": cut(refusal.name),
        }
        if refusal.call is not None:
            body["owner"] = refusal.call.target.team
            body["definition"] = refusal.call.target.definition
        if arguments is not None:
            body["arguments"] = arguments
        body["decision"] = {
            "effect": _effect(refusal.reason),
            "policies": _listed(refusal.policies),
            "reason": refusal.reason,
            "generation": refusal.generation,
            **_set(refusal.policy_set),
            **_observed(refusal.observed),
        }
        if refusal.approval:
            body["approval"] = {"id": cut(refusal.approval, _NAME)}
        if refusal.detail:
            body["detail"] = cut(refusal.detail)
        if refusal.flowed is not None:
            body["session"] = flowed.told(refusal.flowed, self._veil)
        self._add(body, refusal.findings, box)
        if refusal.trace:
            body["trace"] = cut(refusal.trace)
        return body

    def event(self, event: Event) -> dict[str, object]:
        """Any other leaf; raises ValueError for a type that calls use, or a number a leaf cannot hold."""
        if event.type in CALL_TYPES:
            raise ValueError(f"an event type besides {', '.join(sorted(CALL_TYPES))} was expected, not {event.type}")
        for name, value in event.fields.items():
            if not _is_exact(value):
                raise ValueError(f"a text or an integer below 2^53 was expected in {name} of {event.type}, not {value}")
        fields = {cut(name): cut(value) if isinstance(value, str) else value for name, value in event.fields.items()}
        return {"node": self._node, "type": event.type, "by": cut(event.by), "fields": fields}

    def unknown(self, intent: bytes) -> dict[str, object]:
        """The outcome of an intent that stood open when its process died, from the intent's own leaf."""
        known: dict[str, object] = msgspec.json.decode(intent)
        body: dict[str, object] = {"node": self._node, "type": "outcome"}
        body.update({key: known[key] for key in ("call", "principal", "upstream", "kind", "name", "owner") if key in known})
        return {**body, "result": {"status": Status.UNKNOWN}}

    def pseudonym(self, subject: str) -> str:
        """What leaves call a person."""
        return self._veil.pseudonym(subject)

    def arguments(self, commitment: str, arguments: Mapping[str, object]) -> dict[str, object]:
        """What a leaf says of arguments: a salted commitment to all of them, and an HMAC of each of the first fields."""
        return {"commitment": commitment, "fields": self.fields(arguments)}

    def _add(self, body: dict[str, object], findings: tuple[Finding, ...], box: Box | None) -> None:
        if findings:
            body["findings"] = [self._found(found) for found in findings[:LISTED]]
        if box is not None:
            body["side"] = box.digest

    def _found(self, found: Finding) -> dict[str, object]:
        told: dict[str, object] = {
            "guard": cut(found.guard, _NAME),
            "rule": cut(found.rule, _NAME),
            "severity": found.severity,
            "pointer": self._veil.pointer(found.pointer),
        }
        return told if found.done is None else {**told, "done": found.done}

    def principal(self, principal: Principal) -> msgspec.Raw:
        """Encoded once for each agent, subject, chain and credential, as most calls come from the same few; mostly as the same objects."""
        same = self._same.get(id(principal))
        if same is not None:
            return same[1]
        key = (principal.agent, principal.subject, principal.actors, principal.method, principal.credential, principal.proof)
        known = self._principals.get(key)
        if known is None:
            if len(self._principals) >= 4096:
                self._principals.clear()
            known = self._principals[key] = msgspec.Raw(_encoder.encode(self._described(principal)))
        if len(self._same) >= 4096:
            self._same.clear()
        # With the object itself, so that no other is at its address.
        self._same[id(principal)] = (principal, known)
        return known

    def _described(self, principal: Principal) -> dict[str, object]:
        """Persons by pseudonym; software and what it was verified by in clear: they are what an operator looks for and revokes."""
        return {
            "agent": cut(principal.agent.id, _NAME),
            "team": cut(principal.agent.team, _NAME),
            "subject": self._veil.pseudonym(principal.subject.id) if principal.subject else None,
            **(self._person(principal.subject) if principal.subject else {}),
            "act": [self._actor(actor) for actor in principal.actors[:CHAIN]],
            **({"act_cut": True} if len(principal.actors) > CHAIN else {}),
            "method": principal.method,
            "credential_id": cut(principal.credential, _NAME),
            **_proof(principal.proof),
        }

    def _person(self, subject: Subject) -> dict[str, object]:
        """Who vouches for a person, and their groups by pseudonym: what policies may have read of them. Says so where there are more."""
        issuer, colon, _ = subject.id.partition(":")
        groups = sorted([self._veil.pseudonym(group)[:GROUP_CHARACTERS] for group in subject.groups])
        told: dict[str, object] = {"subject_issuer": cut(issuer, _NAME) if colon else "", "groups": groups[:GROUPS]}
        return {**told, "groups_cut": True} if len(groups) > GROUPS else told

    def _actor(self, actor: Actor) -> dict[str, object]:
        return {
            "id": self._veil.pseudonym(actor.id),
            "issuer": cut(actor.issuer, _NAME),
            "agent": cut(actor.agent.id, _NAME),
            "team": cut(actor.agent.team, _NAME),
        }


def _proof(proof: Proof) -> dict[str, object]:
    """What a principal was verified by, as far as its credential has it; what it has not is left out."""
    named = {
        "issuer": cut(proof.issuer, _NAME),
        "client": cut(proof.client),
        "family": cut(proof.family, _NAME),
        "certificate": cut(proof.certificate, _NAME),
    }
    told: dict[str, object] = {name: text for name, text in named.items() if text}
    if proof.bound is not Bound.NOTHING:
        told["bound"] = proof.bound
    if proof.scopes != ALL_SCOPES:
        told["scopes"] = [cut(scope, _NAME) for scope in sorted(proof.scopes)[:LISTED]]
    return told


def _decision(intent: Intent) -> dict[str, object]:
    decision = intent.decision
    decided: dict[str, object] = {
        "effect": _WORDS[type(decision)],
        "policies": _listed(decision.policies),
        "generation": intent.generation,
        **_set(intent.policy_set),
    }
    if decision.would is not None:
        decided["would"] = {
            "effect": "ask" if decision.would.is_question else "deny",
            "policies": _listed(decision.would.policies),
            "detail": cut(decision.would.reason),
        }
    if decision.waiver is not None:
        decided["waiver"] = cut(decision.waiver)
    if intent.observed is not None:
        decided |= _observed(intent.observed)
    return decided


def _set(policies: Digest) -> dict[str, object]:
    """The set of policies that decided, where that is known."""
    return {"set": policies} if policies else {}


def _observed(observed: Observation | None) -> dict[str, object]:
    """What the rules that are only watched would have made of it, where one of them matched or failed."""
    if observed is None:
        return {}
    return {"observed": {"effect": _WORDS[type(observed.would)], "policies": _listed(observed.policies)}}


def _approval(grant: Grant) -> dict[str, object]:
    """Whose yes a call is made with, and whether they changed its arguments."""
    told: dict[str, object] = {"id": grant.id, "by": cut(grant.approved_by)}
    return told if grant.edited is None else {**told, "edited": True}


def _result(outcome: Outcome, commitment: str | None) -> dict[str, object]:
    result: dict[str, object] = {"status": outcome.status, "ms": max(0, min(outcome.milliseconds, EXACT - 1))}
    if outcome.answer is not None:
        result["bytes"] = outcome.answer.size_bytes
    if outcome.reason is not None:
        result["reason"] = outcome.reason
    if outcome.detail:
        result["detail"] = cut(outcome.detail)
    if commitment is not None:
        result["commitment"] = commitment
    return result


def lease(told: Mapping[str, str]) -> dict[str, str]:
    """What is said of a credential."""
    return {key: cut(value) for key, value in told.items()}


def _effect(reason: Reason | None) -> str:
    if reason is None:
        return "allow"
    return "deny" if reason is Reason.FORBIDDEN else "refuse"


def _is_exact(value: object) -> bool:
    """Whether a leaf can hold a value such that every reader of JSON reads the same."""
    return value is None or isinstance(value, str) or (isinstance(value, int) and abs(value) < EXACT)


def _listed(policies: tuple[PolicyId, ...]) -> tuple[str, ...]:
    return tuple([cut(policy, _NAME) for policy in policies[:LISTED]])


def cut(text: str, most: int = _TEXT) -> str:
    """A text of bounded length, at most four bytes a character in a leaf, that does nothing to who prints it."""
    if len(text) > most:
        text = text[: most - 1] + "…"
    return text if text.isprintable() else "".join([letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text])
