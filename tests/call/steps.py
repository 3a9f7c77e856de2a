"""Plans and steps that the tests of the spine share."""

from collections.abc import Mapping

from msgspec.structs import replace

from doorward.call.local import SERVER_INFO
from doorward.call.outbound import NOTHING, RECEIPT_KEY
from doorward.testing.house import Plan
from doorward.testing.trace import Got, Sent
from doorward.testing.upstream import DONE, SHOWN, tool

GIT = replace(SHOWN, tools=(tool("commit"), tool("push")))
PLAN = Plan({"git": GIT})


def policy(text: str, name: str, **annotations: str) -> str:
    """A policy with an id, a reason and what else is said."""
    notes = {"id": name, "reason": f"{name} says so"} | annotations
    return "".join(f'@{note}("{value}")\n' for note, value in notes.items()) + text + "\n"


PERMIT = policy("permit (principal, action, resource);", "all")


def got(body: Mapping[str, object] = DONE, call: str = "call-1", told: Mapping[str, object] = NOTHING) -> Got:
    """A result as an exchange-era client gets it, with the id of its receipt and what else we say of it."""
    meta = {RECEIPT_KEY: call, **told, "io.modelcontextprotocol/serverInfo": SERVER_INFO}
    return Got({"resultType": "complete", **body, "_meta": meta})


def sent(name: str = "commit", upstream: str = "git", **arguments: object) -> Sent:
    """A tool call as it goes upstream."""
    return Sent(upstream, "tools/call", {"name": name, "arguments": arguments})
