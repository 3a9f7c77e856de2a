"""A real browser (`peers/browser`), for pages that must work as people see them; Linux on x86-64, as that is what its package holds."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate

from tests.peers import ROOT, node

IS_HERE = sys.platform == "linux" and platform.machine() == "x86_64"
PLACE = ROOT / "peers/browser"
UNPACKED = PLACE / "node_modules/.unpacked"
"""The package holds the browser compressed; it is unpacked on first use."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the browser shows."""

    url: str
    """Where it is, or would be: a client's own address is not fetched."""
    title: str
    text: str
    buttons: list[list[str]]
    """Name, value and text of each."""
    complaints: list[str]
    """What it refused to do, such as what a content security policy forbids."""


@dataclass(frozen=True, slots=True)
class Chromium:
    """One person's browser."""

    process: subprocess.Popen[str]

    def go(self, url: str) -> Shown:
        """Opens a page."""
        return self._do({"go": url})

    def type(self, selector: str, text: str) -> Shown:
        """Writes into a field."""
        return self._do({"type": [selector, text]})

    def fill(self, selector: str, text: str) -> Shown:
        """Writes into a field in place of what was there."""
        return self._do({"fill": [selector, text]})

    def press(self, selector: str) -> Shown:
        """Clicks where no page comes of it."""
        return self._do({"press": selector})

    def look(self) -> Shown:
        """What it shows by now."""
        return self._do({})

    def shot(self, path: Path) -> Shown:
        """Keeps a picture of the whole page."""
        return self._do({"shot": str(path)})

    def click(self, selector: str) -> Shown:
        """Clicks, and waits for the page that comes of it."""
        return self._do({"click": selector})

    def _do(self, order: dict[str, Any]) -> Shown:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        said = json.loads(self.process.stdout.readline())
        assert "failed" not in said, said
        return Shown(**said)


@contextmanager
def chromium(chain: Path | None = None) -> Iterator[Chromium]:
    """A browser of somebody who has been nowhere yet. `chain`: the only server (PEM) that it believes without knowing its authority."""
    UNPACKED.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "TMPDIR": str(UNPACKED),
        # By this its package knows that the libraries it brings along are wanted.
        "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs22.x",
        "LD_LIBRARY_PATH": str(UNPACKED / "al2023/lib"),
    }
    command = [node(), str(PLACE / "drive.mjs"), *([] if chain is None else [_key_of(chain)])]
    with (
        (PLACE / "node_modules/.unpacking").open("w") as held,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        ) as process,
    ):
        try:
            # Two that unpack at the same time would start each other's half.
            fcntl.flock(held, fcntl.LOCK_EX)
            browser = Chromium(process)
            browser.go("about:blank")
            fcntl.flock(held, fcntl.LOCK_UN)
            yield browser
        finally:
            process.kill()


def _key_of(chain: Path) -> str:
    """SHA-256 of the public key of the first certificate, in base64."""
    key = load_pem_x509_certificate(chain.read_bytes()).public_key()
    return b64encode(sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()).decode()
