"""The secrets of the configuration over the admin API: by reference, never by value."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.control.plane import DOCUMENT, plane

pytestmark = pytest.mark.anyio


async def test_secrets_are_listed_with_owner_age_and_state_and_never_with_their_values(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("crm", "left-over"):
        (secrets / name).write_text(f"canary-of-{name}")
    upstreams: dict[str, Any] = {
        "git": {"url": "https://git.example.com/mcp", "credential": {"value": "Bearer ${env:GIT_TOKEN}"}},
        "crm": {"url": "https://crm.example.com/mcp", "team": "sales", "credential": {"value": "${file:secrets/crm}"}},
        "chat": {"stdio": {"command": ["chat"], "env": {"A_TOKEN": "${env:GIT_TOKEN}", "B_TOKEN": "${env:NOT_SET}"}}},
    }
    document = {**DOCUMENT, "upstreams": upstreams, "secrets": {"directories": ["secrets"], "rotate_after_days": 30}}
    async with plane(tmp_path, document) as it:
        long_ago = it.clock() - 40 * 86400
        os.utime(secrets / "crm", (long_ago, long_ago))
        status, listed = await it.ask("GET", "/v1/secrets")
    assert status == 200
    assert "canary" not in json.dumps(listed)
    usual = {"used_at": None, "borrowed": False, "made_at": None, "old": False, "resolves": True, "why": ""}
    assert listed == {
        "secrets": [
            {
                **usual,
                "reference": "${env:GIT_TOKEN}",
                "places": ["upstreams.git.credential.value", "upstreams.chat.stdio.env.A_TOKEN"],
                "owners": ["platform"],
            },
            {
                **usual,
                "reference": "${file:secrets/crm}",
                "places": ["upstreams.crm.credential.value"],
                "owners": ["sales"],
                "made_at": long_ago,
                "old": True,
            },
            {
                **usual,
                "reference": "${env:NOT_SET}",
                "places": ["upstreams.chat.stdio.env.B_TOKEN"],
                "owners": ["platform"],
                "resolves": False,
                "why": "the variable NOT_SET is not set, or empty",
            },
        ],
        "unused": ["${file:secrets/left-over}"],
        "troubles": [],
    }
