"""Terms: no fact of a leaf is without one, whatever else it says."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from doorward.audit.query import COLUMNS, Query, facts
from doorward.audit.terms import asked, names, terms

WORDS = st.text(max_size=12)
PRINCIPALS = st.fixed_dictionaries(
    {},
    optional={
        "agent": WORDS,
        "team": WORDS,
        "subject": st.none() | WORDS,
        "act": st.lists(st.fixed_dictionaries({"id": WORDS, "agent": WORDS}), max_size=2),
        "issuer": WORDS,
        "client": WORDS,
        "family": WORDS,
        "certificate": WORDS,
        "groups": st.lists(WORDS, max_size=300),
    },
)
POLICIES = st.fixed_dictionaries({"policies": st.lists(WORDS, max_size=3)})
DECISIONS = st.fixed_dictionaries(
    {"effect": WORDS, "policies": st.lists(WORDS, max_size=3)},
    optional={"reason": WORDS, "would": POLICIES, "observed": POLICIES, "waiver": WORDS},
)
LEAVES = st.fixed_dictionaries(
    {"ts": WORDS, "type": WORDS},
    optional={
        "call": WORDS,
        "principal": PRINCIPALS,
        "upstream": WORDS,
        "name": WORDS,
        "owner": WORDS,
        "arguments": st.fixed_dictionaries({"commitment": WORDS}, optional={"fields": st.dictionaries(WORDS, WORDS, max_size=3)}),
        "decision": DECISIONS,
        "result": st.fixed_dictionaries({}, optional={"status": WORDS, "reason": st.none() | WORDS, "ms": st.integers(0, 9)}),
        "findings": st.lists(st.fixed_dictionaries({"guard": WORDS, "rule": WORDS, "pointer": WORDS}), max_size=2),
        "approval": st.fixed_dictionaries({"id": WORDS}),
        "fields": st.dictionaries(st.sampled_from(["approval", "other"]), WORDS | st.integers(0, 9) | st.booleans()),
        "node": WORDS,
    },
)


@given(LEAVES)
def test_a_leaf_has_the_term_of_every_fact_and_no_other(said: dict[str, Any]) -> None:
    leaf = msgspec.json.encode(said)
    found = facts(leaf)
    columns = {column: getattr(found, column) for column in COLUMNS}
    marks = [mark.partition(":") for mark in found.marks]
    of_columns = [asked(Query(**{column: value})) for column, value in columns.items() if value is not None]
    of_marks = [asked(Query(**{"touched" if kind == "field" else kind: value})) for kind, _, value in marks]  # type: ignore[arg-type]
    told = terms(leaf)
    every = {term for group in told.shared for term in group}.union(told.own)
    assert every == {term for (term,) in [*of_columns, *of_marks]}
    assert len(every) == len(set(names(found)))
    assert len(set(told.shared)) == len(told.shared)


def test_the_rarest_is_asked_for_first() -> None:
    whole = Query(type="intent", effect="allow", agent="claude", call="c1", touched="ab")
    assert asked(whole) == tuple(
        asked(one)[0] for one in (Query(call="c1"), Query(touched="ab"), Query(agent="claude"), Query(effect="allow"), Query(type="intent"))
    )
    assert asked(Query(since="2026", until="2027", before=7)) == ()
