"""Whoever begins sign-ins by the thousand is told to wait, before the gateway or the company's provider has work with them."""

from __future__ import annotations

import http.client
from collections import Counter
from pathlib import Path

from tests.adversary.connected import gateway
from tests.e2e.witness import witnessing


def test_the_pages_of_people_are_paced_for_each_address_whatever_the_method(tmp_path: Path) -> None:
    with witnessing() as witness, gateway(tmp_path, "http://127.0.0.1:9", witness.url) as running:
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
        seen: Counter[int] = Counter()
        for number in range(400):
            path = "/oauth/callback" if number % 2 else "/oauth/authorize"
            connection.request("GET", f"{path}?state={number}&code=x&client_id=c&redirect_uri=https://c.example/")
            answer = connection.getresponse()
            answer.read()
            seen[answer.status] += 1
        assert seen[429] >= 100
        connection.request("GET", "/.well-known/oauth-protected-resource")
        assert connection.getresponse().status == 200
