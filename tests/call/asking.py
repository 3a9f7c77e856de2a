"""Plans, requests and steps of tests about calls that people must say yes to."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from doorward.approval.desk import Approver
from doorward.approval.question import State
from doorward.call.rounds import APPROVAL_KEY
from doorward.domain.ids import GrantId
from doorward.domain.reasons import Reason
from doorward.testing.playbook import Playbook, Stimulus, tool_call
from doorward.testing.trace import Counted, Got, GotRefusal, Leaf, Trace
from tests.call.steps import PERMIT, PLAN, got, policy, sent

ASKING = policy('forbid (principal, action == Action::"git/push", resource);', "asks", approval="finance")
FIRST, SECOND = GrantId("question-1"), GrantId("question-2")
BOB = Approver("bob", frozenset({"finance"}))
ACCEPT = {APPROVAL_KEY: {"action": "accept"}}


SHOWN = "The page shows it to whoever may answer."


def page(approval: GrantId) -> str:
    return f"https://gateway.example.com/approvals/{approval}"


LONG: Mapping[str, object] = {"approvals": {"wait_seconds": 60}}
NOT_HELD: Mapping[str, object] = {"approvals": {"wait_seconds": 0}}
PAGED = replace(PLAN, policies=PERMIT + ASKING, document=NOT_HELD, link=page)
HELD = replace(PLAN, policies=PERMIT + ASKING, document=LONG)

URL: Mapping[str, object] = {"elicitation": {"url": {}}}
FORM: Mapping[str, object] = {"elicitation": {}}
PUSH = replace(tool_call("git__push", {"n": 1}), capabilities=URL)
PLAIN = tool_call("git__push", {"n": 1})

PENDING: Trace = [Leaf("refusal", "pending", ("asks",)), GotRefusal(Reason.PENDING), Counted("git", "pending")]
ASKED_LEAF: Trace = [Leaf("refusal", "pending", ("asks",))]


def ran(call: str) -> Trace:
    return [Leaf("intent", "ask", ("asks",)), sent("push", n=1), Leaf("outcome", "delivered"), got(call=call), Counted("git", "delivered")]


def body(trace: Trace) -> Mapping[str, Any]:
    """The only result."""
    (found,) = [step.body for step in trace if isinstance(step, Got)]
    assert isinstance(found, Mapping)
    return found


def retry(of: Stimulus, state: object, responses: Mapping[str, object] = ACCEPT) -> Stimulus:
    """The same request once more, with what it was handed."""
    return replace(of, params={**of.params, "inputResponses": responses, "requestState": state})


async def approve(book: Playbook, question: GrantId = FIRST, edited: Mapping[str, object] | None = None) -> None:
    await book.house.watchmen.desk.approve(question, BOB, edited)


def state_of(book: Playbook, question: GrantId = FIRST) -> State:
    found = book.house.watchmen.desk.question(question)
    assert found is not None
    return found.state
