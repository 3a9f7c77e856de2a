"""Law 4: a pure room that reaches for the world outside is found, and what only decides passes."""

import pytest

from checks import purity
from checks.source import Source


def reasons(text: str, path: str = "src/doorward/wire/x.py") -> list[str]:
    ending = "; deciding is pure (law 4)"
    return [violation.message.removesuffix(ending) for violation in purity.violations(Source.of(path, text))]


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import UTC, datetime, timedelta\nx: datetime = datetime(2026, 1, 1, tzinfo=UTC)\ndatetime.fromisoformat(x)",
        "import datetime as d\ny = d.datetime.fromtimestamp(0, tz=d.UTC)",
        "from pathlib import PurePosixPath",
        "from zoneinfo import ZoneInfo\ndef f(zone: ZoneInfo) -> int: ...",
        "from collections.abc import Mapping\nimport hashlib, hmac, re, urllib.parse\nfrom http import HTTPStatus",
        "from uuid import UUID, uuid5",
        "import msgspec\nimport jiter\nfrom doorward.domain.calls import Call",
        "class A:\n    def open(self): ...\nA().open()",
    ],
)
def test_what_only_decides_passes(text: str) -> None:
    assert reasons(text) == []


@pytest.mark.parametrize(
    "module",
    """time socket logging random secrets os asyncio anyio ssl select threading subprocess sqlite3 tempfile shutil glob urllib.request
    http.client uuid.os contextvars multiprocessing importlib ctypes signal pathlib sys io zoneinfo aiohttp apsw cryptography""".split(),
)
def test_modules_that_reach_outside_are_refused(module: str) -> None:
    assert reasons(f"import {module}") == [f"import of {module}"]
    assert reasons(f"def f():\n    from {module} import anything") == [f"import of {module}.anything"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from datetime import datetime\ndatetime.now()", "use of datetime.datetime.now"),
        ("from datetime import datetime as dt\nclock = dt.utcnow", "use of datetime.datetime.utcnow"),
        ("import datetime\nx = datetime.date.today()", "use of datetime.date.today"),
        ("import uuid as u\nu.uuid4()", "use of uuid.uuid4"),
        ("from uuid import uuid4", "import of uuid.uuid4"),
        ("from pathlib import Path", "import of pathlib.Path"),
        ("import posixpath\nposixpath.realpath(a)", "use of posixpath.realpath"),
        ("from posixpath import exists", "import of posixpath.exists"),
        ("import zlib\nopen('a')", "call of open"),
        ("print(1)", "call of print"),
        ("__import__('os')", "call of __import__"),
        ("from zoneinfo import ZoneInfo\nZoneInfo('UTC')", "call of ZoneInfo, which reads a file"),
        ("from http import client", "import of http.client"),
        ("from urllib import request", "import of urllib.request"),
    ],
)
def test_impure_parts_of_pure_modules_are_refused(text: str, found: str) -> None:
    assert found in reasons(text)


def test_only_the_sealing_file_uses_cryptography_and_it_draws_no_randomness() -> None:
    text = "from cryptography.hazmat.primitives.ciphers.aead import AESGCM\n"
    assert reasons(text, "src/doorward/wire/sealed.py") == []
    assert reasons(text, "src/doorward/wire/sealed/box.py") == []
    assert len(reasons(text, "src/doorward/wire/sealedness.py")) == 1
    assert reasons(text + "AESGCM.generate_key(256)", "src/doorward/wire/sealed.py") == ["call of generate_key, which draws random numbers"]


def test_each_pure_room_has_its_own_third_parties_and_domain_has_none() -> None:
    assert reasons("import msgspec", "src/doorward/domain/x.py") == ["import of msgspec"]
    assert reasons("import cedarpy", "src/doorward/policy/engine.py") == []
    assert reasons("import cedarpy", "src/doorward/wire/x.py") == ["import of cedarpy"]
    assert reasons("import time", "src/doorward/inspection/guards/secrets.py") == ["import of time"]


def test_rooms_that_do_things_are_left_alone() -> None:
    assert reasons("import time, os, socket", "src/doorward/net/egress.py") == []
