"""A service that knows the secret of another one would answer for people whom nobody has trusted it with: no configuration lets it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doorward.config.check_approvals import approvals
from doorward.config.ground import Ground
from doorward.config.model import Document
from tests.config.test_check_approvals import ENVIRONMENT, LISTEN, SOUND


@pytest.mark.parametrize(
    ("chat", "mail", "wrong"),
    [
        ({}, {"approvers": {}}, ["chat"]),
        ({}, {}, ["chat", "mail"]),
        ({"approvers": {}}, {"approvers": {}}, []),
        ({}, {"secret": "${file:other.secret}", "approvers": {}}, []),
    ],
)
def test_only_services_that_just_tell_may_share_a_secret(
    tmp_path: Path, chat: dict[str, Any], mail: dict[str, Any], wrong: list[str]
) -> None:
    file = tmp_path / "other.secret"
    file.write_text(ENVIRONMENT["HOOK"])
    file.chmod(0o600)
    corp = {"url": "https://idp.example.com", "sign_in": {"client_id": "doorward"}}
    document = Document.model_validate(
        {
            "approvals": {"webhooks": {"chat": {**SOUND, **chat}, "mail": {**SOUND, **mail}}},
            "identity": {"issuers": {"corp": corp}},
            "control": {"listen": LISTEN},
        }
    )
    found = [one for one in approvals(document, Ground(tmp_path, ENVIRONMENT)) if one.weight.value == "error"]
    assert [one.path[2] for one in found] == wrong
