"""What leaves the spine: orders, notices and results. (What a whole call looks like is in `test_dispatch.py`.)"""

from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.call.inbound import Inbound
from doorward.call.outbound import client_capabilities, rendered, shown_notice, undeclared
from doorward.domain.calls import Era, Notice
from doorward.domain.ids import LeaseId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Ran, Reason
from doorward.testing.house import Plan
from doorward.testing.playbook import Stimulus, leaves, playbook, tool_call
from doorward.testing.trace import GotRefusal, Leaf
from doorward.testing.upstream import SHOWN, says, tool
from doorward.upstream.order import Order
from doorward.wire.eras import LOG_LEVELS
from tests import made
from tests.call.steps import PLAN


def asked(**more: object) -> Inbound:
    return replace(Stimulus("tools/call", {}), **more).inbound(made.principal())  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_an_order_says_what_the_caller_wants_to_hear_and_not_under_which_name() -> None:
    async with playbook(PLAN) as book:
        wanting = replace(tool_call("git__commit", {"n": 1}), progress_token="mine", log_level="error", meta={"com.example/x": 1})
        await book.play(wanting, tool_call("git__commit", {"n": 1}))
        wanted, plain = book.house.upstream("git").orders
        assert (wanted.wants_progress, wanted.log_level, wanted.meta, wanted.principal) == (True, "error", {"com.example/x": 1}, "claude")
        assert (plain.wants_progress, plain.log_level, plain.meta, plain.capabilities) == (False, None, {}, {})
        assert "mine" not in str(wanted)


@pytest.mark.anyio
async def test_an_order_carries_which_arguments_are_repeated_in_headers() -> None:
    headed = {**tool("count"), "inputSchema": {"type": "object", "properties": {"of": {"type": "string", "x-mcp-header": "Of"}}}}
    async with playbook(Plan({"db": msgspec.structs.replace(SHOWN, tools=(headed,))})) as book:
        await book.play(replace(tool_call("db__count", {"of": "a"}), headers=[(b"mcp-param-of", b"a")]))
        (order,) = book.house.upstream("db").orders
        assert order.param_headers == {"mcp-param-of": ("of",)}


LEVELS = st.sampled_from(LOG_LEVELS)


@given(LEVELS, LEVELS)
def test_a_log_message_is_heard_by_who_asked_for_its_level_or_a_milder_one(wanted: str, level: str) -> None:
    notice = Notice("notifications/message", {"level": level, "data": 1})
    heard = shown_notice(asked(log_level=wanted), notice) is not None
    assert heard is (LOG_LEVELS.index(level) >= LOG_LEVELS.index(wanted))


@pytest.mark.parametrize(
    ("notice", "log_level"),
    [
        (Notice("notifications/message", {"level": "error"}), None),
        (Notice("notifications/message", {"level": "error"}), "loud"),
        (Notice("notifications/message", {"level": 3}), "debug"),
        (Notice("notifications/message", {}), "debug"),
        (Notice("notifications/progress", {"progress": 1}), "debug"),
        (Notice("notifications/tools/list_changed", {}), "debug"),
        (Notice("notifications/invented", {}), "debug"),
    ],
)
def test_what_nobody_asked_for_is_not_heard(notice: Notice, log_level: str | None) -> None:
    assert shown_notice(asked(log_level=log_level), notice) is None


@pytest.mark.parametrize("token", [0, 7, "", "abc"])
def test_progress_is_heard_under_the_callers_own_token(token: str | int) -> None:
    notice = Notice("notifications/progress", {"progress": 1, "progressToken": "theirs"})
    assert shown_notice(asked(progress_token=token), notice) == Notice(notice.method, {"progress": 1, "progressToken": token})


@pytest.mark.anyio
async def test_only_what_both_sides_offer_is_declared() -> None:
    async with playbook(replace(PLAN, upstreams={"git": {"client_input": ["sampling", "elicitation"]}})) as book:
        (entry, *_) = book.house.generations.current.index.everything()
        offered: dict[str, dict[str, object]] = {"elicitation": {}, "roots": {}, "extensions": {"x": {}}}
        assert client_capabilities(asked(capabilities=offered), entry) == {"elicitation": {}}
        assert client_capabilities(asked(capabilities=offered, era=Era.SESSION), entry) == {}
        assert client_capabilities(asked(), entry) == {}


def test_a_list_has_no_receipt_of_its_own() -> None:
    result = rendered(asked(method="tools/list"), None, {"tools": []})
    assert "dev.doorward/receipt" not in str(result)
    assert rendered(asked(method="tools/list", era=Era.SESSION), None, {"tools": []}) == {"tools": []}


def order(declared: Mapping[str, object], method: str = "tools/call") -> Order:
    """An order that declared these capabilities of the client."""
    lease = Lease(LeaseId("l"), "none", "", "")
    return Order(method, {}, {}, declared, None, False, "claude", lease, None)


def requesting(method: object, **params: object) -> dict[str, object]:
    return {"resultType": "input_required", "inputRequests": {"a": {"method": method, "params": params}}}


FORMS: dict[str, object] = {"elicitation": {}}
URLS: dict[str, object] = {"elicitation": {"url": {}}}
QUESTIONS: list[tuple[str, Order, dict[str, object], str | None]] = [
    ("a form where forms are meant", order(FORMS), requesting("elicitation/create", mode="form"), None),
    ("a form that does not say so", order(FORMS), requesting("elicitation/create"), None),
    ("an address where forms are meant", order(FORMS), requesting("elicitation/create", mode="url"), "elicitation/create of mode url"),
    ("an address where it is offered", order(URLS), requesting("elicitation/create", mode="url"), None),
    ("a form where addresses are offered", order(URLS), requesting("elicitation/create"), "elicitation/create of mode form"),
    ("sampling where it is offered", order({"sampling": {}}), requesting("sampling/createMessage"), None),
    ("sampling where it is not", order(FORMS), requesting("sampling/createMessage"), "sampling/createMessage"),
    ("roots where nothing is offered", order({}), requesting("roots/list"), "roots/list"),
    ("something invented", order(FORMS), requesting("keys/hand-over"), "keys/hand-over"),
    ("no method", order(FORMS), requesting(7), "7"),
    ("no request", order(FORMS), {"inputRequests": {"a": "b"}}, "None"),
    ("no object", order(FORMS), {"inputRequests": [1]}, "no object of requests"),
    ("nothing", order({}), {}, None),
    ("anything for a completion", order(FORMS, "completion/complete"), {}, "input for completion/complete"),
]


@pytest.mark.parametrize(("asking", "body", "found"), [pytest.param(*question, id=name) for name, *question in QUESTIONS])
def test_an_upstream_asks_for_what_it_was_told_it_may(asking: Order, body: dict[str, object], found: str | None) -> None:
    assert undeclared(asking.method, asking.capabilities, body) == found


@pytest.mark.anyio
async def test_an_upstream_that_asks_for_more_than_it_may_is_broken_and_the_call_may_have_run() -> None:
    async with playbook(PLAN) as book:
        book.house.upstream("git").will(says(requesting("sampling/createMessage")))
        trace = await book.play(replace(tool_call("git__commit"), capabilities={"sampling": {}}))
        assert leaves(trace)[-1] == Leaf("outcome", "failed", ("upstream_broken",))
        assert [step for step in trace if isinstance(step, GotRefusal)] == [GotRefusal(Reason.UPSTREAM_BROKEN, Ran.MAYBE)]
