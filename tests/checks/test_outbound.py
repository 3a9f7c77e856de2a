"""Nobody connects to others but `net`."""

import pytest

from checks import outbound
from checks.source import Source


def count(text: str, path: str) -> int:
    return len(list(outbound.violations(Source.of(path, text))))


@pytest.mark.parametrize(
    "text",
    [
        "import http.client",
        "from http import client",
        "import urllib.request as asked",
        "from urllib.request import urlopen",
        "import httpx",
        "import asyncio\nasyncio.open_connection('h', 1)",
        "from asyncio import open_connection",
        "import asyncio\nasyncio.get_running_loop().create_connection(None)",
        "import asyncio\nasyncio.get_running_loop().create_datagram_endpoint(None)",
        "from socket import create_connection",
        "import socket\nsocket.socket()",
        "import anyio\nanyio.connect_tcp('h', 1)",
    ],
)
def test_whoever_is_not_net_does_not_connect_to_others(text: str) -> None:
    assert count(text, "src/doorward/identity/jwks.py") >= 1
    assert count(text, "src/doorward/credentials/oauth/server.py") >= 1
    assert count(text, "src/doorward/net/http.py") == 0
    assert count(text, "src/doorward/network.py") >= 1


def test_doors_make_sockets_and_connect_to_nobody() -> None:
    assert count("import socket\nsocket.socket()", "src/doorward/serving/handshakes.py") == 0
    assert count("import socket\nsocket.create_connection(('h', 1))", "src/doorward/serving/handshakes.py") == 1


def test_what_only_speaks_of_connections_passes() -> None:
    assert count("import socket\nsocket.gethostname()\nfrom http import HTTPStatus\nimport ssl", "src/doorward/app/evidence.py") == 0
