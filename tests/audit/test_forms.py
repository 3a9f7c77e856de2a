"""Forms: filled, they are byte for byte the leaves that are made without them."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.audit.forms import MOST, Forms
from doorward.audit.leaf import Bodies, encoded
from doorward.audit.sides import Said
from doorward.audit.store import Box
from doorward.audit.veil import FIELDS, Veil, commitment
from doorward.domain.approvals import Grant
from doorward.domain.budgets import Draw
from doorward.domain.calls import Answer, Call, Fault, Reply
from doorward.domain.catalog import Kind, Target
from doorward.domain.decisions import Allow, Ask, Deny, Need, Observation
from doorward.domain.findings import Finding, Severity
from doorward.domain.flow import Flow
from doorward.domain.ids import CallId, Digest, Generation, GrantId, PolicyId, WaiverId
from doorward.domain.reasons import Reason
from doorward.domain.receipts import Flowed, Intent, Outcome, Status
from tests import made

TS = "2026-01-02T03:04:05.678901Z"
VEIL = Veil(b"k" * 32)
BODIES = Bodies("knoten-é%b", VEIL)
FORMS = Forms(BODIES)
"""One for all examples, so that what an earlier one has left is met by later ones."""

texts = st.text(max_size=20) | st.sampled_from(["", "%b", "100 %", "\xff\xfe", "é\u2028", "\x00\\u0000", '"', "x" * 700])
names = st.text(alphabet="abz_-é@%/~ 0", min_size=1, max_size=8)
scalars = texts | st.integers(-(2**60), 2**60) | st.booleans() | st.decimals(allow_nan=False, allow_infinity=False, places=3)
values = st.recursive(
    scalars | st.none(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)
arguments = st.dictionaries(names, values, max_size=6) | st.dictionaries(names, scalars, max_size=6)
boxes = st.builds(Box, st.integers(1, 9), st.binary(min_size=12, max_size=12), st.integers(0, 999), st.binary(max_size=40))
seldom = st.sampled_from([False, False, False, True])

principals = st.sampled_from([made.principal(), made.principal("other"), replace(made.principal(), credential="%b é")])


def _named(kind: Kind, name: str) -> Target:
    return replace(made.target(), kind=kind, name=name)


targets = st.builds(
    _named,
    st.sampled_from([Kind.TOOL, Kind.TOOL, Kind.PROMPT, Kind.RESOURCE]),
    texts,
)
TARGETS: list[Target] = []


@st.composite
def calls(draw: st.DrawFn) -> Call:
    # Some targets come again as the same object, as a generation's do.
    target = draw(targets)
    TARGETS.append(target)
    again = draw(st.sampled_from([target, TARGETS[0], TARGETS[-1]]))
    # The same principals come as the same objects, and as others.
    by = draw(principals)
    call = made.call(draw(arguments), by=replace(by) if draw(seldom) else by)
    return replace(call, id=CallId(draw(texts)), target=again, method=draw(st.sampled_from(["tools/call", "prompts/get"])))


@st.composite
def intents(draw: st.DrawFn) -> Intent:
    call = draw(calls())
    policies = tuple(PolicyId(name) for name in draw(st.lists(texts, max_size=3)))
    would = Deny(policies, draw(texts)) if draw(seldom) else None
    waiver = WaiverId("w%") if draw(seldom) else None
    decisions: list[Allow | Ask] = [Allow(policies, would, waiver), Ask(policies, (Need("team"),), "why", would=would, waiver=waiver)]
    return Intent(
        call=call,
        decision=draw(st.sampled_from(decisions)),
        findings=(Finding("secrets", "key", Severity.LOW, "/a"),) if draw(seldom) else (),
        grant=Grant(GrantId("g"), call.digest, None, "p", "eve", TS) if draw(seldom) else None,
        credential=draw(st.sampled_from(["none", "static", "%d"])),
        generation=Generation(draw(st.integers(0, 3))),
        trace=draw(st.sampled_from(["", "00-ab-cd-01", "\x07 %"])),
        policy_set=Digest(draw(st.sampled_from(["", "set"]))),
        observed=Observation(policies, Deny(policies, "r")) if draw(seldom) else None,
        draws=(Draw("b", "l", "{}", 1, 2, 3, 4, "3"),) if draw(seldom) else (),
        flowed=Flowed(Flow(), is_traced=True) if draw(seldom) else None,
    )


@st.composite
def outcomes(draw: st.DrawFn) -> Outcome:
    lease: Mapping[str, str] = draw(
        st.sampled_from([{}, {"kind": "none", "id": "l1", "audience": "é%", "scope": ""}, {"id": "\x00", "kind": "k"}])
    )
    answer = Answer({"ok": True}, draw(st.integers(0, 10**9)))
    return Outcome(
        call=draw(calls()),
        status=draw(st.sampled_from(Status)),
        reason=Reason.CANCELLED if draw(seldom) else None,
        detail=draw(texts) if draw(seldom) else "",
        findings=(Finding("secrets", "key", Severity.LOW, "/a"),) if draw(seldom) else (),
        answer=None if draw(seldom) else answer,
        reply=Reply(Fault(1, "no")),
        lease=lease,
        milliseconds=draw(st.integers(-(2**60), 2**60)),
        endorsed=draw(texts) if draw(seldom) else "",
    )


def _said(committed: str, box: Box | None) -> Said:
    return Said(committed, box, box.digest if box is not None else "")


def without_forms(intent: Intent, committed: str, box: Box | None) -> bytes:
    return encoded(BODIES.intent(intent, BODIES.arguments(committed, intent.call.arguments), box))


@settings(max_examples=300)
@given(intents(), st.none() | boxes)
def test_an_intent_is_the_same_with_and_without_a_form(intent: Intent, box: Box | None) -> None:
    committed = commitment(b"s" * 16, intent.call.canonical)
    assert FORMS.intent(intent, _said(committed, box)) == without_forms(intent, committed, box)


@settings(max_examples=300)
@given(outcomes(), st.none() | boxes, seldom)
def test_an_outcome_is_the_same_with_and_without_a_form(outcome: Outcome, box: Box | None, is_unshown: bool) -> None:
    said = None if is_unshown else _said(commitment(b"s" * 16, b"result"), box)
    plainly = BODIES.outcome(outcome, None, None) if said is None else BODIES.outcome(outcome, said.commitment, box)
    assert FORMS.outcome(outcome, said) == encoded(plainly)


@given(st.dictionaries(names, scalars, max_size=FIELDS + 3))
def test_flat_arguments_are_marked_as_nested_ones(flat: dict[str, str | int | bool | Decimal]) -> None:
    # Something nested beside them takes the general way.
    assert VEIL.fields(flat) == VEIL.fields({**flat, "nested": []})


def test_a_leaf_too_long_for_its_form_is_shortened_as_every_other() -> None:
    call = made.call({f"{'x' * 35}{number}": 1 for number in range(FIELDS)})
    plain = Intent(replace(call, id=CallId("c" * 56_000)), Allow(()), (), None, "none", Generation(1), "")
    for box in (None, Box(1, b"n" * 12, 1, b"s")):
        leaf = FORMS.intent(plain, _said("c" * 64, box))
        assert leaf == without_forms(plain, "c" * 64, box)
        assert b'"shortened":true' in leaf


def test_another_principal_or_target_at_the_same_address_has_another_form() -> None:
    # Objects that are gone leave their addresses to others; more of them than are remembered.
    forms = Forms(BODIES)
    for number in range(MOST + 100):
        call = made.call({}, by=made.principal(f"agent-{number}"), to=made.target(name=f"tool-{number}"))
        intent = Intent(call, Allow(()), (), None, "none", Generation(1), "")
        assert forms.intent(intent, Said("c")) == without_forms(intent, "c", None)
