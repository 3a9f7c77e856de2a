"""A person and an agent that knows nothing but a URL: the agent's own OAuth client does the rest, in the person's browser."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.browser import Browser, Page
from tests.oidc import sign_in
from tests.peers import ROOT, node

CALLBACK = "http://127.0.0.1:9/callback"
"""Where the agents of these tests listen, or would."""

AGENTS = {
    "python": (sys.executable, str(ROOT / "tests/clients/oauth_with_sdk2.py"), "{url}", "auto", "{document}"),
    "python in session": (sys.executable, str(ROOT / "tests/clients/oauth_with_sdk2.py"), "{url}", "legacy", "{document}"),
    "typescript": (node(), str(ROOT / "peers/sdk/oauth.mjs"), "{url}", "{document}"),
}
"""The official SDKs with their own OAuth clients."""


@dataclass(slots=True)
class Visit:
    """One person with a browser."""

    name: str
    browser: Browser = field(default_factory=lambda: Browser(stops_at=(CALLBACK,)))
    pages: list[Page] = field(default_factory=list)
    """What the person was shown by Doorward, in order."""

    def consents(self, url: str) -> str:
        """Goes where an agent sends the browser, signs in if asked, consents if asked; where the browser ends."""
        page = sign_in(self.browser, self.browser.get(url), self.name)
        for _ in range(3):
            if not page.forms or page.url.startswith(CALLBACK):
                break
            self.pages.append(page)
            form = page.forms[0]
            yes = next(button for button in form.buttons if button[1] in {"allow", "approve", "yes"})
            page = self.browser.submit(page, form, dict([yes]))
        self.pages.append(page)
        return page.url


def act(
    agent: str, url: str, visit: Visit, calls: Sequence[tuple[str, dict[str, Any]]], document: str = "", **environment: str
) -> dict[str, Any]:
    """What one of `AGENTS` saw: it discovers, has the person consent, lists and calls."""
    command = [word.format(url=url, document=document) for word in AGENTS[agent]]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment or None
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            said = _line(process)
            while "authorize" in said:
                process.stdin.write(visit.consents(said["authorize"]) + "\n")
                process.stdin.write(json.dumps(calls) + "\n")
                process.stdin.flush()
                said = _line(process)
            return said
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    assert line, process.stderr.read()
    said: dict[str, Any] = json.loads(line)
    return said
