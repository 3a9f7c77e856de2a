"""`doorward agent enroll` against a TLS listener that issues: first with a key, then with the certificate itself."""

import asyncio
import os
import stat
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.requests import Request

from doorward.cli.enroll import command
from doorward.config.identity import Certificates as Rules
from doorward.domain.actors import Agent
from doorward.domain.ids import AgentId, TeamId
from doorward.identity.agent_keys import AgentKeys
from doorward.identity.certificates.ca import new_root, opened
from doorward.identity.certificates.issuing import Issuing
from doorward.identity.certificates.proxy import Proxies
from doorward.identity.certificates.source import Certificates
from doorward.identity.certificates.spoiled import Spoiled
from doorward.identity.certificates.trust import Trust
from doorward.identity.chain import Chain
from doorward.identity.records import NEVER
from doorward.net.tls import server_context
from doorward.serving.enroll import Enroll
from doorward.serving.port import Receive, Scope, Send
from doorward.stores.memory_certificates import MemoryIssued
from tests.certificates import authority
from tests.identity.certificates.house import House
from tests.serving.secured import Place, place, secured, told
from tests.serving.sockets import listening

pytestmark = pytest.mark.anyio


class Gateway(House):
    """A house whose authority issues over TLS; the agent `one` has a key."""

    def __init__(self, directory: Path) -> None:
        super().__init__(clock=time.time)  # type: ignore[arg-type]
        self.place: Place = place(directory)
        self.ca_file = directory / "listener-ca.pem"
        self.ca_file.write_text(self.place.root.pem)
        pem_text = new_root(bytes(32), "doorward.local", time.time(), os.urandom)
        self.ca = opened(bytes(32), pem_text, "doorward.local", os.urandom)
        self.store = MemoryIssued()
        self.issuing = Issuing(self.ca, self.store, self.enrolment, self.registry, self._tell, time.time)
        self.spoiled = Spoiled(Trust(frozenset({self.ca.embedded.thumbprint})), time.time)
        known = Certificates(Rules(), self.ca.embedded, self.enrolment, self.registry, time.time)
        self.chain = Chain([self.spoiled, AgentKeys(self.registry, time.time), known])
        self.page = Enroll(self.chain.identified, self.issuing, Proxies((), None, time.time).shown).page
        self.key = ""
        self.port = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (await self.page(Request(scope, receive)))(scope, receive, send)

    async def enroll(self, directory: Path, *options: str, key: str | None = None, ca_file: Path | None = None) -> Result:
        given = ["--url", f"https://localhost:{self.port}", "--directory", str(directory), "--ca-file", str(ca_file or self.ca_file)]
        runner = CliRunner(env={"DOORWARD_KEY": self.key if key is None else key})
        return await asyncio.to_thread(runner.invoke, command, [*given, *options])


@asynccontextmanager
async def gateway(directory: Path) -> AsyncIterator[Gateway]:
    made = Gateway(directory)
    made.key, _ = await made.registry.add(Agent(AgentId("one"), "ada", TeamId("support"), "client"), NEVER, 3600)
    served = made.place.served(roots=made.ca.embedded.certificate.public_bytes(Encoding.PEM).decode())
    async with secured(server_context(served), made) as (_, port):
        made.port = port
        yield made


async def test_agent_gets_a_certificate_for_a_key_of_its_own(tmp_path: Path) -> None:
    own = tmp_path / "own"
    async with gateway(tmp_path) as here:
        done = await here.enroll(own)
        assert (done.exit_code, done.output.startswith(f"{own}/agent.pem is valid until ")) == (0, True), done.output
        assert sorted(path.name for path in own.iterdir()) == ["agent.key", "agent.pem"]
        assert [stat.S_IMODE(path.stat().st_mode) for path in (own, own / "agent.key")] == [0o700, 0o600]
        context = here.place.trusting()
        context.load_cert_chain(own / "agent.pem", own / "agent.key")
        async with secured(server_context(here.place.served(roots=(own / "agent.pem").read_text()))) as (_, port):
            assert await told(port, context) == b"spiffe://doorward.local/agent/one CN=one"


async def test_certificate_is_renewed_by_itself_when_a_third_of_its_life_is_left(tmp_path: Path) -> None:
    own = tmp_path / "own"
    async with gateway(tmp_path) as here:
        await here.enroll(own)
        first = (own / "agent.pem").read_bytes()
        early = await here.enroll(own, "--renew", key="")
        assert (early.exit_code, early.output, (own / "agent.pem").read_bytes()) == (0, "", first)
        (own / "agent.pem").unlink()
        here.issuing.lasting(1 / 60)
        await here.enroll(own)
        key = (own / "agent.key").read_bytes()
        due = await here.enroll(own, "--renew", key="")
        assert (due.exit_code, "is valid until" in due.output) == (0, True), due.output
        assert (own / "agent.key").read_bytes() == key
        # Three within one second: the store has nothing to tell them apart by but who proved what.
        proofs = [one.proven_by.split()[0] for one in await here.store.all()]
        assert sorted(proofs) == ["agent_key", "agent_key", "certificate"]


async def test_what_keeps_an_agent_from_a_certificate_is_said_and_nothing_is_replaced(tmp_path: Path) -> None:
    own = tmp_path / "own"
    async with gateway(tmp_path) as here:
        strange = tmp_path / "strange.pem"
        strange.write_text(authority().pem)
        refusals = [
            await here.enroll(own, key="dw_wrong"),
            await here.enroll(own, key=""),
            await here.enroll(own, ca_file=strange),
            await here.enroll(own, "--renew"),
        ]
        assert [refused.exit_code for refused in refusals] == [1, 2, 1, 1]
        assert "status 401" in refusals[0].output
        assert "certificate verify failed" in refusals[2].output.lower()
        assert not (own / "agent.pem").exists()
        assert (await here.enroll(own)).exit_code == 0
        again = await here.enroll(own)
        assert (again.exit_code, "--renew renews it" in again.output) == (1, True)


async def test_revoked_certificate_renews_nothing(tmp_path: Path) -> None:
    own = tmp_path / "own"
    async with gateway(tmp_path) as here:
        here.issuing.lasting(1 / 60)
        await here.enroll(own)
        here.spoiled.adopt(Trust())
        refused = await here.enroll(own, "--renew", key="")
        assert (refused.exit_code, "status 401" in refused.output) == (1, True)


async def test_key_is_never_sent_without_tls(tmp_path: Path) -> None:
    async with listening() as (listener, port):
        runner = CliRunner(env={"DOORWARD_KEY": "dw_secret"})
        given = ["--url", f"http://localhost:{port}", "--directory", str(tmp_path / "own")]
        done = await asyncio.to_thread(runner.invoke, command, given)
        assert (done.exit_code, "https" in done.output, listener.connections) == (1, True, 0)


async def test_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    own = tmp_path / "own"
    async with gateway(tmp_path) as here:
        await here.enroll(own)
        (own / "agent.pem").unlink()
        (own / "agent.key").chmod(0o644)
        refused = await here.enroll(own)
        assert (refused.exit_code, "0600" in refused.output) == (1, True)
