"""What a caller gets while a person has no account at an upstream, in each era; and its call once there is one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from doorward.call.rounds import APPROVAL_KEY, CONNECT_KEY
from doorward.credentials.port import EVERYBODY, Mint, Minted, Use
from doorward.domain.actors import AuthnMethod
from doorward.domain.calls import Era, Fault
from doorward.domain.reasons import Reason, Refused
from doorward.testing.house import Plan
from doorward.testing.playbook import Stimulus, playbook, tool_call
from doorward.testing.trace import Got, GotRefusal, Leaf, Sent, Trace
from tests.call.asking import ASKING, FIRST, URL, approve, body, page, retry
from tests.call.steps import PERMIT, PLAN

pytestmark = pytest.mark.anyio

REFERENCE = "a1b2"
WHERE = f"https://gateway.example.com/connect/{REFERENCE}"
CALL = tool_call("git__push", {"n": 1})
SHOWN = replace(CALL, capabilities=URL)


@dataclass(slots=True)
class Accounts(Mint):
    """Nobody has one, until somebody has; `late`: that is seen only at stage 8."""

    is_connected: bool = False
    late: bool = False

    def holder(self, use: Use) -> str | None:
        if not self.late:
            self._check(use)
        return EVERYBODY if use.call.principal.method is AuthnMethod.OWN else None

    async def mint(self, use: Use) -> Minted:
        self._check(use)
        return Minted()

    def _check(self, use: Use) -> None:
        if not self.is_connected and use.call.principal.method is not AuthnMethod.OWN:
            raise Refused(Reason.CONSENT_NEEDED, "nothing is connected", extra={"connect": REFERENCE})


def link(reference: str) -> str:
    return f"https://gateway.example.com/connect/{reference}"


def plan(accounts: Accounts) -> Plan:
    return replace(PLAN, mints=lambda upstream, of: accounts, connect=link)


def refusal(trace: Trace) -> GotRefusal:
    (found,) = [step for step in trace if isinstance(step, GotRefusal)]
    return found


def ran(trace: Trace) -> bool:
    return any(isinstance(step, Sent) for step in trace)


@pytest.mark.parametrize("late", [False, True])
async def test_a_client_that_shows_pages_is_given_one_and_its_retry_is_made(late: bool) -> None:
    accounts = Accounts(late=late)
    async with playbook(plan(accounts)) as book:
        asked = body(await book.play(SHOWN))
        request = asked["inputRequests"][CONNECT_KEY]
        assert (asked["resultType"], request["method"]) == ("input_required", "elicitation/create")
        assert (request["params"]["mode"], request["params"]["url"]) == ("url", WHERE)
        assert "`git`" in request["params"]["message"]
        accounts.is_connected = True
        assert ran(await book.play(retry(SHOWN, asked["requestState"], {CONNECT_KEY: {"action": "accept"}})))


async def test_a_retry_with_nothing_connected_is_told_in_words_and_is_not_kept_waiting() -> None:
    async with playbook(plan(Accounts())) as book:
        asked = body(await book.play(SHOWN))
        for responses in ({CONNECT_KEY: {"action": "accept"}}, {}):
            trace = await book.play(retry(SHOWN, asked["requestState"], responses))
            assert (refusal(trace).reason, WHERE in refusal(trace).sentence) == (Reason.CONSENT_NEEDED, True)
        assert len(book.house.dispatch.holding) == 0


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_who_declines_has_no_call_made_though_there_may_be_an_account_by_now(action: str) -> None:
    accounts = Accounts()
    async with playbook(plan(accounts)) as book:
        asked = body(await book.play(SHOWN))
        accounts.is_connected = True
        trace = await book.play(retry(SHOWN, asked["requestState"], {CONNECT_KEY: {"action": action}}))
        assert (refusal(trace).reason, "did not want" in refusal(trace).sentence, ran(trace)) == (Reason.CONSENT_NEEDED, True, False)


@pytest.mark.parametrize("capabilities", [{}, {"elicitation": {}}, {"elicitation": {"form": {}}}])
@pytest.mark.parametrize("era", list(Era))
async def test_a_client_that_shows_no_pages_is_told_in_words(era: Era, capabilities: Mapping[str, object]) -> None:
    async with playbook(plan(Accounts())) as book:
        trace = await book.play(replace(CALL, era=era, capabilities=capabilities))
        told = refusal(trace)
        assert (told.reason, WHERE in told.sentence, told.reference) == (Reason.CONSENT_NEEDED, True, "call-1")
        assert trace[:1] == [Leaf("refusal", "consent_needed")]


async def test_a_client_of_2025_11_25_gets_the_error_that_names_the_page() -> None:
    async with playbook(plan(Accounts())) as book:
        trace = await book.play(replace(SHOWN, era=Era.SESSION, version="2025-11-25"))
        (fault,) = [step.body for step in trace if isinstance(step, Got)]
        assert isinstance(fault, Fault)
        assert fault.code == -32042
        assert isinstance(fault.data, Mapping)
        (asked,) = fault.data["elicitations"]
        assert (asked["mode"], asked["url"], asked["elicitationId"]) == ("url", WHERE, REFERENCE)
        assert refusal(await book.play(replace(SHOWN, era=Era.SESSION, version="2025-06-18"))).reason is Reason.CONSENT_NEEDED


async def test_what_was_sealed_for_an_account_opens_no_approval_and_people_are_asked_after_it() -> None:
    accounts = Accounts()
    whole = replace(
        PLAN,
        policies=PERMIT + ASKING,
        document={"approvals": {"wait_seconds": 0}},
        link=page,
        mints=lambda upstream, of: accounts,
        connect=link,
    )
    async with playbook(whole) as book:
        first = body(await book.play(SHOWN))
        accounts.is_connected = True
        second = body(await book.play(retry(SHOWN, first["requestState"], {CONNECT_KEY: {"action": "accept"}})))
        assert list(second["inputRequests"]) == [APPROVAL_KEY]
        await approve(book, FIRST)
        assert ran(await book.play(retry(SHOWN, second["requestState"])))


async def test_without_pages_the_words_name_none() -> None:
    without = replace(PLAN, mints=lambda upstream, of: Accounts())
    async with playbook(without) as book:
        told = refusal(await book.play(Stimulus("tools/call", {"name": "git__push", "arguments": {}}, capabilities=URL)))
        assert (told.reason, "http" in told.sentence, "operators" in told.sentence) == (Reason.CONSENT_NEEDED, False, True)
