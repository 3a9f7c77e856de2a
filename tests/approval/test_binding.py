"""What an approval is bound to."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.approval.binding import bind
from doorward.domain.decisions import Ask, Need
from doorward.domain.ids import Digest, PolicyId
from doorward.domain.reasons import Reason, Refused
from tests.made import call, principal, target

ASK = Ask((PolicyId("p1"),), (Need("finance"),), "payments need a yes", Digest("b1"))


@given(st.dictionaries(st.text(), st.text()), st.dictionaries(st.text(), st.text()))
def test_any_change_of_the_arguments_is_another_question(one: dict[str, str], other: dict[str, str]) -> None:
    assert (bind(call(one), ASK) == bind(call(other), ASK)) == (one == other)


def test_another_tool_definition_agent_or_policy_text_is_another_question() -> None:
    bindings = {
        bind(call(), ASK),
        bind(call(to=target(definition="d2")), ASK),
        bind(call(to=target(name="push")), ASK),
        bind(call(by=principal("other")), ASK),
        bind(call(), replace(ASK, basis=Digest("b2"))),
    }
    assert len(bindings) == 5


def test_a_new_key_and_an_unrelated_policy_are_not() -> None:
    assert bind(call(by=principal(key="key2")), replace(ASK, reason="said otherwise")) == bind(call(), ASK)


def test_a_decision_that_rests_on_nothing_is_not_asked_about() -> None:
    with pytest.raises(Refused) as caught:
        bind(call(), replace(ASK, basis=Digest("")))
    assert caught.value.reason is Reason.INTERNAL
