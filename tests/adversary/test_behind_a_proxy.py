"""Behind a proxy everybody has one address: a single stranger who floods the token endpoint must not keep all others from their tokens."""

from __future__ import annotations

import http.client
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.adversary.connected import SECRET, gateway
from tests.e2e.witness import witnessing

PUBLIC = "https://mcp.example.com"


@pytest.mark.parametrize(("behind", "is_let"), [({"proxy": {"addresses": ["127.0.0.1/32"]}}, True), ({}, False)])
def test_one_who_floods_through_the_proxy_keeps_nobody_from_their_tokens(tmp_path: Path, behind: dict[str, object], is_let: bool) -> None:
    listen = {"port": 0, "public_url": PUBLIC, **behind}
    with witnessing() as witness, gateway(tmp_path, "http://127.0.0.1:9", witness.url, listen=listen) as running:
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
        seen: Counter[int] = Counter()

        def asks(fields: dict[str, str]) -> int:
            connection.request("POST", "/oauth/token", urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"})
            answer = connection.getresponse()
            answer.read()
            return answer.status

        for _ in range(500):
            seen[asks({"grant_type": "refresh_token", "client_id": "nobody", "refresh_token": "x"})] += 1
        mine = {"grant_type": "client_credentials", "client_id": "lead-client", "client_secret": SECRET, "resource": f"{PUBLIC}/mcp"}
        assert (asks(mine) == 200) is is_let, seen
