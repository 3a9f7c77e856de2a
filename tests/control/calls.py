"""Calls that a plane's log has been told of."""

from collections.abc import Mapping
from dataclasses import replace

from doorward.domain.calls import Answer, Call, Reply
from doorward.domain.decisions import Allow, Deny
from doorward.domain.ids import CallId, Generation, PolicyId
from doorward.domain.receipts import Intent, Outcome, Status
from tests import made
from tests.control.plane import Plane

WOULD = Deny((PolicyId("no-secrets"),), "Nobody reads secrets.")


async def told(
    it: Plane, call_id: str, arguments: Mapping[str, object] | None = None, *, agent: str = "claude", would: Deny | None = None
) -> Call:
    """The two leaves of a call that was delivered."""
    call = replace(made.call(arguments, by=made.principal(agent)), id=CallId(call_id))
    await it.recorder.intend(Intent(call, Allow((PolicyId("reads"),), would), (), None, "none", Generation(1), ""))
    body = {"content": [{"type": "text", "text": "done"}]}
    await it.recorder.conclude(Outcome(call, Status.DELIVERED, None, "", (), Answer(body, 40), Reply(body), {"kind": "none"}, 7))
    return call
