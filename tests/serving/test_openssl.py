"""The same zoo made by the openssl command, and its own client coming back with a session: where that program is installed."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from doorward.config.model import Listen, Tls
from doorward.identity.certificates.spoiled import Spoiled
from doorward.serving.port import CONNECTION, Receive, Scope, Send
from doorward.serving.tls import Secured, prepared
from tests.certificates import now
from tests.serving.secured import secured
from tests.serving.sockets import CLOSING

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")]

CONFIG = """
[ca]
default_ca = own
[own]
dir = .
database = ./$ENV::CA.index
serial = ./$ENV::CA.serial
new_certs_dir = .
certificate = ./$ENV::CA.pem
private_key = ./$ENV::CA.key
default_md = sha256
default_crl_days = 1
policy = any
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical,CA:false
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost
[agent]
basicConstraints = critical,CA:false
extendedKeyUsage = clientAuth
subjectAltName = URI:spiffe://example.org/agents/one
"""
NOW = "20200101000000Z", "20400101000000Z"


class Bench:
    """A directory in which openssl keeps authorities."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "openssl.cnf").write_text(CONFIG)

    def run(self, *words: str, ca: str = "root") -> str:
        done = subprocess.run(
            ["openssl", *words], cwd=self.directory, env={"CA": ca, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def request(self, name: str) -> None:
        self.run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key")
        self.run("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr", "-config", "openssl.cnf")

    def authority(self, name: str, by: str | None = None) -> None:
        (self.directory / f"{name}.index").touch()
        (self.directory / f"{name}.serial").write_text("1000\n")
        self.request(name)
        if by is not None:
            self.issue(name, by, "authority")
            return
        signing = ("-selfsign", "-keyfile", f"{name}.key", "-extensions", "authority", "-days", "30")
        self.run("ca", "-batch", "-config", "openssl.cnf", *signing, "-in", f"{name}.csr", "-out", f"{name}.pem", "-notext", ca=name)

    def issue(self, name: str, by: str, sort: str, valid: tuple[str, str] = NOW) -> None:
        if not (self.directory / f"{name}.csr").exists():
            self.request(name)
        dates = ("-startdate", valid[0], "-enddate", valid[1])
        words = ("-extensions", sort, *dates, "-in", f"{name}.csr", "-out", f"{name}.pem", "-notext")
        self.run("ca", "-batch", "-config", "openssl.cnf", *words, ca=by)

    def revoke(self, name: str, by: str) -> None:
        self.run("ca", "-config", "openssl.cnf", "-revoke", f"{name}.pem", ca=by)

    def lists(self, *authorities: str) -> None:
        for name in authorities:
            self.run("ca", "-config", "openssl.cnf", "-gencrl", "-out", f"{name}.crl.pem", ca=name)
        self.run("crl", "-in", f"{authorities[0]}.crl.pem", "-outform", "DER", "-out", f"{authorities[0]}.crl")

    def joined(self, name: str, *parts: str) -> None:
        (self.directory / name).write_text("".join((self.directory / part).read_text() for part in parts))

    def visit(self, port: int, shown: str, *options: str) -> str:
        """What openssl's client gets from the listener, and what it says of the session."""
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", "root.pem", "-verify_return_error"]
        command += ["-servername", "localhost", "-cert_chain", f"{shown}-chain.pem", "-cert", f"{shown}.pem", "-key", f"{shown}.key"]
        done = subprocess.run(
            [*command, "-ign_eof", *options], cwd=self.directory, input=CLOSING, capture_output=True, timeout=20, check=False
        )
        return done.stdout.decode("latin-1")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    made = Bench(tmp_path_factory.mktemp("openssl"))
    made.authority("root")
    made.authority("other")
    made.authority("between", "root")
    made.issue("server", "root", "server")
    made.issue("good", "between", "agent")
    made.issue("lone", "between", "agent")
    made.issue("late", "root", "agent", ("20200101000000Z", "20210101000000Z"))
    made.issue("early", "root", "agent", ("20390101000000Z", "20400101000000Z"))
    made.issue("usage", "root", "server")
    made.issue("stranger", "other", "agent")
    made.joined("roots.pem", "root.pem", "between.pem")
    made.joined("good-chain.pem", "between.pem")
    for name in ("late", "early", "usage", "stranger", "lone"):
        made.joined(f"{name}-chain.pem", "root.pem")
    made.lists("root", "between")
    return made


class Told:
    """Answers with what a source would say of the client's certificate."""

    def __init__(self) -> None:
        self.spoiled: Spoiled | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.spoiled is not None
        certificate = scope[CONNECTION].certificate
        body = b"(nobody)" if certificate is None else (self.spoiled.fault(certificate) or f"({certificate.uris[0]})").encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})


def listen(*crls: str) -> Listen:
    rules = Tls(certificate="server.pem", key="server.key", minimum="1.2", clients="required", roots=("roots.pem",), crls=crls)
    return Listen(tls=rules)


HOLDS = "(spiffe://example.org/agents/one)"


async def test_zoo_of_openssl_is_told_apart(bench: Bench) -> None:
    # The intermediate of `lone` is among the roots of the listener, which is enough; `unknown` has one that nobody else knows.
    bench.authority("unknown", "root")
    bench.issue("missing", "unknown", "agent")
    bench.joined("missing-chain.pem", "root.pem")
    app, found = Told(), prepared(listen(), bench.directory, None, now().timestamp())
    app.spoiled = Spoiled(found.trust, lambda: now().timestamp())
    assert found.context is not None
    async with secured(found.context, app) as (_, port):
        names = ["good", "lone", "late", "early", "usage", "stranger", "missing"]
        answers = [HOLDS in await asyncio.to_thread(bench.visit, port, name) for name in names]
    assert dict(zip(names, answers, strict=True)) == {name: name in {"good", "lone"} for name in names}


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_lists_of_openssl_revoke_leaf_and_intermediate_and_no_session_survives(bench: Bench, version: str, tmp_path: Path) -> None:
    stolen, gone, below = f"stolen{version}", f"gone{version}", f"below{version}"
    bench.issue(stolen, "between", "agent")
    bench.authority(gone, "root")
    bench.issue(below, gone, "agent")
    for name, above in ((stolen, "between"), (below, gone)):
        bench.joined(f"{name}-chain.pem", f"{above}.pem")
    bench.lists("root", "between")
    app, lists, session = Told(), ("root.crl", "between.crl.pem"), tmp_path / "session"
    found = prepared(listen(*lists), bench.directory, None, now().timestamp())
    app.spoiled = Spoiled(found.trust, lambda: now().timestamp())
    assert found.context is not None
    async with secured(found.context, app) as (listener, port):
        before = [await asyncio.to_thread(bench.visit, port, name, version, "-sess_out", str(session)) for name in ("good", below, stolen)]
        bench.revoke(stolen, "between")
        bench.revoke(gone, "root")
        bench.lists("root", "between")
        Secured(listener, app.spoiled).adopt(prepared(listen(*lists), bench.directory, None, now().timestamp()))
        back = ("-sess_in", str(session)) if session.exists() else ()
        after = [
            await asyncio.to_thread(bench.visit, port, stolen, version, *back),
            *[await asyncio.to_thread(bench.visit, port, name, version) for name in (below, "good")],
        ]
    assert [HOLDS in said for said in before] == [True, True, True]
    assert [HOLDS in said for said in after] == [False, False, True]
    assert (version == "-tls1_2") is session.exists()
    assert "Reused, TLS" not in "".join(after)
