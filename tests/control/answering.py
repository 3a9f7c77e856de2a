"""People of a company who answer questions, in their browsers and through a service that signs."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from doorward.approval.channels.signature import Message, key_of, sign
from doorward.approval.question import Question
from doorward.domain.actors import Subject
from doorward.domain.decisions import Ask, Need
from doorward.domain.ids import Digest, GrantId, PolicyId, SubjectId
from doorward.domain.reasons import Reason, Refused
from tests import made
from tests.control.door import HOOK, LISTEN, SIGNING_IN, Browser, Got, NetworkDoor

GROUPS: dict[str, Any] = {
    "admins": {"role": "admin"},
    "ops": {"role": "approver", "teams": ["ops"]},
    "finance": {"role": "approver", "teams": ["finance"]},
    "audit": {"role": "auditor"},
    "readers": {"role": "viewer"},
}
WEBHOOKS: dict[str, Any] = {
    "chat": {
        "url": "https://chat.example.com/doorward",
        "secret": "${env:HOOK}",
        "approvers": {"corp:eve": ["ops"], "corp:otto": ["ops"], "corp:ada": ["ops"], "corp:fay": ["finance"]},
    },
    "mail": {"url": "https://mail.example.com/doorward", "secret": "${env:HOOK_OF_MAIL}"},
}
ANSWERING: dict[str, Any] = {**SIGNING_IN, "control": {"listen": {**LISTEN, "groups": GROUPS}}, "approvals": {"webhooks": WEBHOOKS}}
EVE: dict[str, Any] = {"sub": "eve", "name": "Eve", "groups": ["ops"]}
OTTO: dict[str, Any] = {"sub": "otto", "name": "Otto", "groups": ["ops"]}
ADA: dict[str, Any] = {"sub": "ada", "name": "Ada", "groups": ["ops", "finance"]}
"""She owns the agent."""
FAY: dict[str, Any] = {"sub": "fay", "name": "Fay", "groups": ["finance"]}
AUD: dict[str, Any] = {"sub": "aud", "name": "Aud", "groups": ["audit"]}
ASK = Ask((PolicyId("ask-late"),), (Need("ops"),), "Late reads are looked at.", Digest("b" * 64))
TWO = Ask((PolicyId("ask-late"),), (Need("ops", 2),), "Late reads are looked at.", Digest("b" * 64))


async def pending(door: NetworkDoor, ask: Ask = ASK, subject: str = "", **arguments: object) -> Question:
    """A call that waits, of an agent that Ada owns."""
    acting = Subject(SubjectId(subject), frozenset()) if subject else None
    principal = replace(made.principal(), subject=acting)
    with pytest.raises(Refused) as raised:
        await door.it.desk.clear(made.call(arguments or {"path": "a"}, by=principal), ask)
    assert raised.value.reason is Reason.PENDING
    found = door.it.desk.question(GrantId(str(raised.value.extra["approval"])))
    assert found is not None
    return found


def standing(door: NetworkDoor, question: Question) -> Question:
    """The same question as it is now."""
    found = door.it.desk.question(question.id)
    assert found is not None
    return found


async def came(door: NetworkDoor, **claims: Any) -> Browser:
    """The browser of somebody who has signed in."""
    browser = door.browser()
    assert (await browser.sign_in(**claims)).status == 200
    return browser


def hidden(page: Got, name: str) -> str:
    """What a page's form holds."""
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', page.text)
    assert found is not None, page.text
    return unescape(found[1])


def buttons(page: Got) -> list[str]:
    """The answers that a page offers."""
    return re.findall(r'name="answer" value="([^"]+)"', page.text)


def signed(door: NetworkDoor, body: bytes, message_id: str = "m1", off: float = 0, secret: str = HOOK) -> dict[str, str]:
    """The headers of a message."""
    message = Message(message_id, str(int(door.it.clock() + off)), body)
    return {"webhook-id": message.id, "webhook-timestamp": message.timestamp, "webhook-signature": sign(key_of(secret), message)}


async def passed_on(door: NetworkDoor, said: Mapping[str, object], message_id: str = "m1", name: str = "chat") -> Got:
    """What a service is told when it passes an answer on."""
    body = json.dumps(said).encode()
    return await door.ask("POST", f"/hooks/approvals/{name}", signed(door, body, message_id), body)


def yes(question: Question, by: str = "corp:eve", **more: object) -> dict[str, object]:
    return {"approval": question.id, "digest": question.shown_digest, "answer": "approve", "by": by, **more}


def no(question: Question, by: str = "corp:eve") -> dict[str, object]:
    return {**yes(question, by), "answer": "reject"}
