"""What was ended stays ended, also where our authority was away in between."""

from __future__ import annotations

import json
from pathlib import Path

from tests.adversary.connected import SECRET, gateway, own_token, posted
from tests.e2e.client import Client
from tests.e2e.witness import witnessing
from tests.gateway import Running, start, stop

ISSUER = "http://127.0.0.1:9"


def status(running: Running, token: str) -> int:
    with Client(running.url(), token) as client:
        return client.call("up__echo", {"mark": "x"}).status


def test_a_token_that_was_given_back_is_not_good_again_when_the_authority_is_put_back_by_a_reload(tmp_path: Path) -> None:
    with witnessing() as witness, gateway(tmp_path, ISSUER, witness.url) as running:
        port, token = running.port, own_token(running, "lead-client")
        assert status(running, token) == 200
        assert posted(running, "/oauth/revoke", {"token": token, "client_id": "lead-client", "client_secret": SECRET})[0] == 200
        assert status(running, token) == 401
        stop(running)
        whole = json.loads((tmp_path / "doorward.yaml").read_text()) | {"listen": {"port": port}}
        without = {**whole, "identity": {**whole["identity"], "authority": None, "enrol": []}}
        (tmp_path / "doorward.yaml").write_text(json.dumps(without))
        again = start(tmp_path, {"IDP_SECRET": "x"})
        try:
            assert status(again, token) == 401
            (tmp_path / "doorward.yaml").write_text(json.dumps(whole))
            again.admin.post("/v1/reload", {})
            assert status(again, own_token(again, "lead-client")) == 200
            assert status(again, token) == 401
        finally:
            stop(again)


def test_a_token_is_no_good_once_the_authority_is_taken_out_and_its_pages_are_gone(tmp_path: Path) -> None:
    with witnessing() as witness, gateway(tmp_path, ISSUER, witness.url) as running:
        token = own_token(running, "lead-client")
        assert status(running, token) == 200
        whole = json.loads((tmp_path / "doorward.yaml").read_text())
        (tmp_path / "doorward.yaml").write_text(json.dumps({**whole, "identity": {**whole["identity"], "authority": None, "enrol": []}}))
        running.admin.post("/v1/reload", {})
        assert status(running, token) == 401
        fields = {"grant_type": "client_credentials", "client_id": "lead-client", "client_secret": SECRET, "resource": running.url()}
        assert posted(running, "/oauth/token", fields)[0] == 404
