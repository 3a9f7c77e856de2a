"""The way of a call that nothing stops, and how it ends by what its upstream says, each as a whole trace."""

import pytest

from doorward.testing.playbook import playbook, tool_call
from doorward.testing.trace import Counted, Leaf, Sent
from doorward.testing.upstream import text
from tests.call.steps import PLAN, got

CALL = tool_call("git__commit", {"n": 1})
INTENT = Leaf("intent", "allow", ("all",))


@pytest.mark.anyio
async def test_a_call_is_recorded_before_it_goes_upstream_and_told_after() -> None:
    async with playbook(PLAN) as book:
        book.house.upstream("git").will(text("ok"))
        assert await book.play(CALL) == [
            INTENT,
            Sent("git", "tools/call", {"name": "commit", "arguments": {"n": 1}}),
            Leaf("outcome", "delivered"),
            got({"content": [{"type": "text", "text": "ok"}]}),
            Counted("git", "delivered"),
        ]
