"""A company that operates a gateway over the network: its people with browsers and command lines, and its provider as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from doorward.cli.main import main
from doorward.net.tls import client_context
from tests import oidc
from tests.browser import Browser, Page
from tests.certificates import authority, server
from tests.e2e.witness import Witness
from tests.gateway import PERMIT_ALL, Running, doorward, http_upstream, write_config

PEOPLE: Mapping[str, Mapping[str, Any]] = {
    "ada": {"groups": ["gateway-admins"]},
    "olga": {"groups": ["web-leads", "finance"]},
    "ines": {"groups": ["finance"]},
    "aud": {"groups": ["audit"]},
    "vic": {"groups": ["everyone"]},
    "mallory": {"groups": ["guests"]},
}
GROUPS: Mapping[str, Any] = {
    "gateway-admins": {"role": "admin"},
    "web-leads": {"role": "owner", "teams": ["web"]},
    "finance": {"role": "approver", "teams": ["finance"]},
    "audit": {"role": "auditor"},
    "everyone": {"role": "viewer"},
}
CLIENT = {
    "client_id": "doorward",
    "client_secret": "a secret of tests, long enough for it",
    "grant_types": ["authorization_code"],
    "response_types": ["code"],
    "scope": "openid profile email groups",
}
SECONDS = 60


@dataclass(slots=True)
class Person:
    """Somebody with a browser and a home directory of their own."""

    name: str
    url: str
    """The door of operators."""
    ca_file: Path
    home: Path
    address: str
    """Whence their browser connects: a computer of their own, since one address may sign in only so often."""
    browser: Browser = field(init=False)

    def __post_init__(self) -> None:
        """With an empty cookie jar."""
        self.browser = Browser(context=client_context(str(self.ca_file)), address=self.address)

    def comes(self) -> Page:
        """Signs in by browser; the page that this ends at."""
        return oidc.sign_in(self.browser, self.browser.get(f"{self.url}/signin"), self.name)

    def reads(self, path: str) -> tuple[int, Any]:
        """Status and JSON of the admin API, as the browser has it."""
        page = self.browser.get(f"{self.url}{path}")
        return page.status, json.loads(page.text)

    def logs_in(self, answer: str = "allow") -> tuple[int, str]:
        """Exit code and words of `doorward login`, whose question this person's browser answers so."""
        words = ["login", self.url, "--ca-file", str(self.ca_file), "--no-browser"]
        with subprocess.Popen(
            self._line(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self._environment()
        ) as it:
            try:
                assert it.stdout is not None
                letters = it.stdout.readline().strip().rstrip(":").rpartition(" ")[2]
                question = oidc.sign_in(self.browser, self.browser.get(it.stdout.readline().strip()), self.name)
                assert letters in question.text, question.text
                self.browser.submit(question, question.forms[0], {"answer": answer})
                if answer != "allow":
                    return 1, ""
                said = it.stdout.read()
                return it.wait(SECONDS), said
            finally:
                it.kill()

    def tells(self, *words: str) -> tuple[int, str]:
        """Exit code and words of `doorward WORDS` at this gateway."""
        done = CliRunner().invoke(main, list(words), env={"XDG_STATE_HOME": str(self.home), "DOORWARD_CONTROL_URL": self.url})
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    def runs(self, *words: str) -> tuple[int, str]:
        """The same, as a process."""
        line, environment = self._line(*words), self._environment()
        done = subprocess.run(line, capture_output=True, text=True, env=environment, timeout=SECONDS, check=False)
        return done.returncode, done.stdout + done.stderr

    def gets(self, *words: str) -> str:
        """The words of a command that succeeds."""
        code, said = self.tells(*words)
        assert code == 0, said
        return said

    @property
    def session(self) -> Path:
        """The file that the command line keeps this person's session in."""
        [file] = (self.home / "doorward" / "operator").glob("*.json")
        return file

    def _line(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "doorward", *words]

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")}
        return {**kept, "XDG_STATE_HOME": str(self.home), "PYTHONUNBUFFERED": "1"}


@dataclass(slots=True)
class Company:
    """A gateway whose operators sign in at the company's provider."""

    running: Running
    provider: oidc.Provider
    url: str
    ca_file: Path
    document: dict[str, Any]

    def person(self, name: str) -> Person:
        """One of `PEOPLE`, who has not come yet."""
        number = len(list(self.running.directory.glob("homes/*"))) + 1
        home = self.running.directory / "homes" / f"{name}-{number}"
        home.mkdir(parents=True)
        return Person(name, self.url, self.ca_file, home, f"127.0.1.{number}")

    def signed_in(self, name: str) -> Person:
        """The same, with a command line that acts for them."""
        person = self.person(name)
        code, said = person.logs_in()
        assert code == 0, said
        return person

    def change(self, groups: Mapping[str, Any], policies: str = PERMIT_ALL) -> None:
        """Other roles come into force by a reload."""
        self.document["control"]["listen"]["groups"] = dict(groups)
        write_config(self.running.directory, self.document, policies)
        self.running.admin.post("/v1/reload")


@contextmanager
def company(directory: Path, witness: Witness, policies: str = PERMIT_ALL) -> Iterator[Company]:
    """A gateway that knows its provider by a reload: the provider has to know the gateway's port first."""
    issuer = authority()
    chain, key = server(issuer).written(directory, "operators")
    ca_file = directory / "ca.pem"
    ca_file.write_text(issuer.pem)
    sign_in = {"client_id": "doorward", "client_secret": "${env:IDP_SECRET}", "scopes": ["openid", "profile", "groups"]}
    corp = {"url": "http://127.0.0.1:9", "plain_http": True, "private": True, "algorithms": ["RS256"], "sign_in": sign_in}
    tls = {"certificate": chain.name, "key": key.name}
    document: dict[str, Any] = {
        "upstreams": {"up": http_upstream(witness.url, team="web"), "books": http_upstream(witness.url, team="finance")},
        "identity": {
            "issuers": {"corp": corp},
            "enrol": [{"issuer": "corp", "client": "robot", "agent": "robot", "team": "machines", "owner": "platform"}],
        },
        "approvals": {"wait_seconds": 0},
        "control": {"listen": {"host": "localhost", "port": 0, "tls": tls, "sign_in": "corp", "groups": dict(GROUPS)}},
    }
    with doorward(directory, document, policies, {"IDP_SECRET": str(CLIENT["client_secret"])}) as running:
        url = f"https://localhost:{running.events('gateway_started')[0]['operators'].rpartition(':')[2]}"
        client = {**CLIENT, "redirect_uris": [f"{url}/signin/callback"]}
        with oidc.provider((client, oidc.ROBOT), people=PEOPLE) as provider:
            corp["url"] = provider.issuer
            made = Company(running, provider, url, ca_file, document)
            made.change(GROUPS, policies)
            yield made
