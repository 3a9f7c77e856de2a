"""A certificate that does not hold any more gets no token either: not with a client's secret beside it, nor for one that it was tied to."""

from __future__ import annotations

import http.client
import json
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.adversary.connected import SECRET, identity
from tests.e2e.secured import Place, loaded, named, print_of
from tests.e2e.witness import witnessing
from tests.gateway import Running, doorward, http_upstream


def token(running: Running, tls: ssl.SSLContext) -> tuple[int, Any]:
    connection = http.client.HTTPSConnection("localhost", running.port, timeout=20, context=tls)
    fields = {"grant_type": "client_credentials", "client_id": "lead-client", "client_secret": SECRET}
    try:
        body = urlencode({**fields, "resource": f"https://localhost:{running.port}/mcp"})
        connection.request("POST", "/oauth/token", body, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_revoked_certificate_spoils_a_token_request_whatever_else_it_brings(tmp_path: Path) -> None:
    place = Place(tmp_path)
    listed, withdrawn, good = (place.root.leaf(named(name)) for name in ("one", "two", "three"))
    with witnessing() as witness:
        document = {
            "listen": {**place.listen(), "host": "localhost"},
            "identity": identity("http://127.0.0.1:9"),
            "upstreams": {"up": http_upstream(witness.url)},
        }
        with doorward(tmp_path, document, environment={"IDP_SECRET": "x"}) as running:
            assert token(running, place.context(listed))[0] == 200
            place.publish(listed.certificate)
            loaded(running, 1)
            running.admin.post("/v1/stops", {"matter": f"certificate:{print_of(withdrawn)}", "reason": "stolen", "effect": "revoked"})
            for one in (listed, withdrawn):
                status, said = token(running, place.context(one))
                assert (status, said["error"]) == (401, "invalid_client")
            assert token(running, place.context(good))[0] == 200
