"""What a leaf says of a context, and that it says where it does not say all."""

import pytest

from doorward.audit.flowed import told
from doorward.audit.veil import Veil
from doorward.domain.flow import Confidentiality, Flow, Integrity, Label, Taint
from doorward.domain.receipts import Flowed

VEIL = Veil(b"k" * 32)
LABEL = Label(Integrity.UNTRUSTED, Confidentiality.RESTRICTED, frozenset({"health", "customer"}))
TAINTED = (Taint("/to", "mail"), Taint("/ann@example.com", "mail"))


def test_a_leaf_tells_label_counters_and_veiled_pointers() -> None:
    flow = Flow(LABEL, TAINTED, 9, 2, 1, frozenset({"links/image"}), is_too_confidential=True, declassified=("ids",))
    assert told(Flowed(flow, is_traced=True), VEIL) == {
        "integrity": "untrusted",
        "confidentiality": "restricted",
        "categories": ["customer", "health"],
        "findings": ["links/image"],
        "declassified": ["ids"],
        "calls": 9,
        "writes": 2,
        "externals": 1,
        "too_confidential": True,
        "tainted": [{"pointer": "/to", "source": "mail"}, {"pointer": VEIL.pointer("/ann@example.com"), "source": "mail"}],
    }


def test_where_taint_was_not_looked_for_a_leaf_does_not_say_that_there_is_none() -> None:
    assert "tainted" not in told(Flowed(Flow(), is_traced=False), VEIL)
    assert told(Flowed(Flow(), is_traced=True), VEIL)["tainted"] == []


@pytest.mark.parametrize(
    "flow",
    [
        Flow(findings=frozenset(f"g/{number}" for number in range(40))),
        Flow(tainted=tuple(Taint(f"/a/{number}", "mail") for number in range(40))),
        Flow(tainted=(Taint("/a/b/c/d/e/f/g", "mail"),)),
        Flow(Label(categories=frozenset({"x" * 200}))),
        Flow(Label(categories=frozenset({"a\nb"}))),
    ],
)
def test_a_leaf_that_does_not_hold_all_says_so(flow: Flow) -> None:
    assert told(Flowed(flow, is_traced=True), VEIL)["cut"] is True
