"""People are who an issuer of the configuration says they are: once it is taken out, nobody says it any more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.adversary.connected import connected, exchanged, gateway, own_token, refreshed
from tests.e2e.client import Client
from tests.e2e.witness import witnessing
from tests.gateway import Running
from tests.oidc import provider

pytestmark = pytest.mark.peer


def status(running: Running, token: str) -> int:
    with Client(running.url(), token) as client:
        return client.call("up__echo", {"mark": "x"}).status


def test_no_token_of_ours_speaks_for_people_of_an_issuer_that_was_taken_out(tmp_path: Path) -> None:
    with provider() as company, witnessing() as witness, gateway(tmp_path, company.issuer, witness.url) as running:
        tokens = connected(running, company, "alice")
        status_of_child, child = exchanged(running, tokens["access_token"])
        assert (status_of_child, status(running, tokens["access_token"]), status(running, child["access_token"])) == (200, 200, 200)
        with Client(running.url(), tokens["access_token"]) as client:
            waits = client.begin_call("up__wait", {"mark": "in flight"})
            witness.has_seen("in flight")
            whole = json.loads((tmp_path / "doorward.yaml").read_text())
            rules = whole["identity"]
            rules["issuers"] = {"other": rules["issuers"]["corp"]}
            rules["authority"]["sign_in"] = "other"
            (tmp_path / "doorward.yaml").write_text(json.dumps(whole))
            running.admin.post("/v1/reload", {})
            assert waits.said().reason == "revoked_meanwhile"
        assert (status(running, tokens["access_token"]), status(running, child["access_token"])) == (401, 401)
        assert refreshed(running, tokens["refresh_token"])[0] == 400
        assert exchanged(running, tokens["access_token"])[0] == 400
        assert status(running, own_token(running, "lead-client")) == 200
