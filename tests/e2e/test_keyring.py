"""The system's keyring by its real package, with a backend that keeps a file: an upstream's secret, and the key of the database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import Client
from tests.e2e.log import PATIENT, until
from tests.e2e.witness import Witness, witnessing
from tests.gateway import doorward, http_upstream, start, stop, write_config
from tests.upstream.kit import header_of

BACKEND = '''
import json, os
from pathlib import Path
from keyring.backend import KeyringBackend

class Backend(KeyringBackend):
    """Keeps what it is told in one file."""
    priority = 1
    path = Path(os.environ["KEPT_IN"])

    def _all(self):
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def get_password(self, service, name):
        return self._all().get(f"{service}/{name}")

    def set_password(self, service, name, text):
        self.path.write_text(json.dumps({**self._all(), f"{service}/{name}": text}))

    def delete_password(self, service, name):
        self.path.write_text(json.dumps({key: text for key, text in self._all().items() if key != f"{service}/{name}"}))
'''


def environment(directory: Path) -> dict[str, str]:
    (directory / "kept_in_a_file.py").write_text(BACKEND)
    return {
        "PYTHONPATH": str(directory),
        "PYTHON_KEYRING_BACKEND": "kept_in_a_file.Backend",
        "KEPT_IN": str(directory / "keyring.json"),
    }


def document(witness: Witness) -> dict[str, Any]:
    upstream = http_upstream(witness.url, credential={"value": "Bearer ${keyring:doorward/ci}"})
    return {"upstreams": {"ci": upstream}, "encryption": {"key": {"kind": "keyring"}}, "runaway": PATIENT}


def test_a_secret_and_the_key_of_the_database_are_in_the_keyring_and_nowhere_else(tmp_path: Path) -> None:
    around, kept = environment(tmp_path), tmp_path / "keyring.json"
    kept.write_text(json.dumps({"doorward/ci": "canary-of-the-keyring"}))
    with witnessing() as witness:
        with doorward(tmp_path, document(witness), environment=around) as running:
            with Client(running.url("ci"), running.key()) as ci:
                until(lambda: ci.call("echo").reason == "")
            assert header_of(witness.requests[-1], "Authorization") == "Bearer canary-of-the-keyring"
        entries = json.loads(kept.read_text())
        ours = [text for place, text in entries.items() if place != "doorward/ci"]
        assert len(ours) == 1
        files = [path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file()]
        assert not any(text.encode() in raw for raw in files for text in (ours[0], "canary-of-the-keyring"))
        again = start(tmp_path, around)
        try:
            again.keys |= running.keys
            with Client(again.url("ci"), again.key()) as ci:
                until(lambda: ci.call("echo").reason == "")
        finally:
            assert stop(again) == 0


def test_without_its_entry_in_the_keyring_a_gateway_does_not_start(tmp_path: Path) -> None:
    around, kept = environment(tmp_path), tmp_path / "keyring.json"
    with witnessing() as witness:
        kept.write_text(json.dumps({"doorward/ci": "canary-of-the-keyring"}))
        with doorward(tmp_path, document(witness), environment=around):
            pass
        kept.write_text(json.dumps({"doorward/ci": "canary-of-the-keyring"}))
        write_config(tmp_path, document(witness))
        with pytest.raises(AssertionError, match="the gateway ended with 1"):
            start(tmp_path, around)
        assert json.loads(kept.read_text()).keys() == {"doorward/ci"}
