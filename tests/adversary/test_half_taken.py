"""A configuration that cannot be taken over leaves everything as it was, also what was fetched and verified before."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from doorward.client.admin import AdminError
from tests.adversary.connected import identity
from tests.e2e.client import Client
from tests.e2e.log import events
from tests.e2e.witness import witnessing
from tests.gateway import doorward, http_upstream
from tests.oidc import RELYING_PARTY, provider

pytestmark = pytest.mark.peer


def test_keys_and_remembered_tokens_outlive_a_reload_that_fails_while_the_provider_is_down(tmp_path: Path) -> None:
    with witnessing() as witness, ExitStack() as company:
        idp = company.enter_context(provider())
        rules = identity(idp.issuer)
        rules["enrol"].append({"issuer": "corp", "client": "robot", "agent": "robot", "team": "machines", "owner": "platform"})
        document: dict[str, Any] = {"upstreams": {"up": http_upstream(witness.url)}, "identity": rules}
        with doorward(tmp_path, document, environment={"IDP_SECRET": str(RELYING_PARTY["client_secret"])}) as running:
            client = Client(running.url(), idp.token_for_robot(running.url()))
            assert client.call("up__echo", {"mark": "before"}).status == 200
            company.close()
            rules["issuers"]["corp"]["leeway_seconds"] = 30
            rules["authority"]["clients"] = {"ca_file": "broken.pem"}
            (tmp_path / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
            written = json.loads((tmp_path / "doorward.yaml").read_text())
            (tmp_path / "doorward.yaml").write_text(json.dumps({**written, "identity": rules}))
            with pytest.raises(AdminError):
                running.admin.post("/v1/reload", {})
            assert client.call("up__echo", {"mark": "after"}).status == 200
            loaded = len(events(tmp_path / "state", "config_loaded"))
            assert len(events(tmp_path / "state", "change_failed")) == loaded


def test_a_reload_that_fails_at_the_last_moment_is_told_as_what_it_was(tmp_path: Path) -> None:
    with witnessing() as witness:
        document: dict[str, Any] = {"upstreams": {"up": http_upstream(witness.url)}}
        with doorward(tmp_path, document, environment={"IDP_SECRET": "x"}) as running:
            key = running.key()
            (tmp_path / "state" / "authority.keys").write_text("broken")
            written = json.loads((tmp_path / "doorward.yaml").read_text())
            (tmp_path / "doorward.yaml").write_text(json.dumps({**written, "identity": identity("http://127.0.0.1:9")}))
            with pytest.raises(AdminError) as refused:
                running.admin.post("/v1/reload", {})
            assert refused.value.reason != "internal"
            assert Client(running.url(), key).call("up__echo", {"mark": "after"}).status == 200
            loaded = len(events(tmp_path / "state", "config_loaded"))
            assert len(events(tmp_path / "state", "change_failed")) == loaded
