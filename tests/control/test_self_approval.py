"""Nobody says yes for themselves, whichever way they come in: the socket, a browser, a command with a bearer token, a service that signs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from doorward.control.operators import Operator, Role, named_in
from tests.control.answering import ANSWERING, came, passed_on, pending, standing, yes
from tests.control.door import network_door
from tests.control.test_signing import code, redeemed

pytestmark = pytest.mark.anyio

UID = 61_010
OPAQUE: Mapping[str, Any] = {"sub": "00u1x7", "name": "A. Lovelace", "email": "ada@example.com", "groups": ["ops"]}
"""The owner of the agent, as a provider that names people by numbers knows her."""


@pytest.mark.parametrize("role", [Role.APPROVER, Role.OWNER, Role.ADMIN])
@pytest.mark.parametrize(("name", "subject"), [("ada", ""), ("ADA", "corp:zoe"), ("zoe", "corp:zoe"), ("zoe", "corp:Zoe@example.com")])
async def test_at_the_socket(tmp_path: Path, role: Role, name: str, subject: str) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door, subject=subject)
        door.it.operators[UID] = Operator(name, role, frozenset({"ops"}))
        for body in ({"digest": question.shown_digest}, {"digest": question.shown_digest, "edited": {"path": "b"}}):
            status, answer = await door.it.ask("POST", f"/v1/approvals/{question.id}/approve", body, uid=UID)
            assert (status, answer["reason"]) == (409, "refused")
        assert standing(door, question) == question
        door.it.operators[UID] = Operator("bob", role, frozenset({"ops"}))
        assert (await door.it.ask("POST", f"/v1/approvals/{question.id}/approve", {"digest": question.shown_digest}, uid=UID))[0] == 200


async def test_in_a_browser_known_by_an_address_alone(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        door.company.in_token |= {"email"}
        question = await pending(door)
        person = await came(door, **OPAQUE)
        said = {"digest": question.shown_digest}
        assert (await person.submit(f"/approvals/{question.id}", {**said, "answer": "approve"})).status == 409
        assert (await person.change("POST", f"/v1/approvals/{question.id}/approve", said)).status == 409
        assert standing(door, question) == question


async def test_with_a_commands_bearer_token_known_by_an_address_alone(tmp_path: Path) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        door.company.in_token |= {"email"}
        question = await pending(door)
        token = json.loads((await redeemed(door, await code(door.browser(), **OPAQUE))).text)["token"]
        body = json.dumps({"digest": question.shown_digest}).encode()
        got = await door.ask("POST", f"/v1/approvals/{question.id}/approve", {"authorization": f"Bearer {token}"}, body)
        assert (got.status, got.reason) == (409, "refused")
        assert standing(door, question) == question


@pytest.mark.parametrize(("by", "subject"), [("corp:ada", ""), ("corp:eve", "corp:eve"), ("corp:eve", "partner:EVE@example.com")])
async def test_through_a_service_that_signs(tmp_path: Path, by: str, subject: str) -> None:
    async with network_door(tmp_path, ANSWERING) as door:
        question = await pending(door, subject=subject)
        assert (await passed_on(door, yes(question, by))).reason == "refused"
        assert standing(door, question) == question


def test_everything_that_a_provider_calls_a_person_counts() -> None:
    claims = {"sub": "00u1x7", "email": "ada@example.com", "upn": "", "name": 7, "nickname": "countess", "department": "zoe"}
    assert named_in(claims) == {"00u1x7", "ada@example.com", "countess"}
