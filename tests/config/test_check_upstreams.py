"""Each upstream is checked for its transport, its secrets and its rules."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from doorward.app.places import anchored
from doorward.config.check_credentials import WRITE_A_REFERENCE
from doorward.config.check_upstreams import upstreams
from doorward.config.ground import Ground
from doorward.config.model import Upstream
from doorward.config.problems import dotted

TOKEN = "ghp_" + "a1B2" * 9
RANDOM = "q8d7f6a5s4d3f2a1s0d9f8g7h6j5k4l3"


def findings(ground: Ground, every: Mapping[str, object]) -> list[tuple[str, str, str]]:
    models = {name: Upstream.model_validate(fields) for name, fields in every.items()}
    return [(finding.weight.value, dotted(finding.path[1:]), finding.message) for finding in upstreams(models, ground)]


def found(tmp_path: Path, fields: Mapping[str, object]) -> list[tuple[str, str]]:
    ground = Ground(tmp_path, {"PATH": "/bin:/usr/bin", "TOKEN": "t"})
    return [(weight, path.removeprefix("a.")) for weight, path, _ in findings(ground, {"a": fields})]


def at(url: str, **fields: object) -> dict[str, object]:
    return {"url": url, **fields}


def run(*command: str, **fields: object) -> dict[str, object]:
    return {"stdio": {"command": ["sh", *command], **fields}}


URL = "https://api.example.com/mcp"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [("error", "a")]),
        ({"url": URL, "stdio": {"command": ["sh"]}}, [("error", "a")]),
        (at(URL), []),
        (at("http://api.example.com/mcp"), [("error", "url")]),
        (at("http://api.example.com/mcp", plain_http=True), []),
        (at("https://api.example.com/mcp", plain_http=True), [("error", "plain_http")]),
        (at("ftp://api.example.com/"), [("error", "url")]),
        (at("https:///mcp"), [("error", "url")]),
        (at("https://a b/"), [("error", "url")]),
        (at("https://exämple.com/"), [("error", "url")]),
        (at("https://api.example.com/mcp#x"), [("error", "url")]),
        (at("https://user:password@api.example.com/"), [("error", "url")]),
        (at("https://api.example.com:99999/"), [("error", "url")]),
        (at("https://api.example.com/?api_key=hunter2x"), [("error", "url")]),
        (at(f"https://api.example.com/{TOKEN}"), [("error", "url")]),
        (at("https://api.example.com/?page=2"), []),
        ({"urls": [URL, "https://other.example.com/mcp"]}, []),
        ({"urls": [URL, "http://other.example.com/mcp"]}, [("error", "urls[1]")]),
        ({"urls": [URL, "https://127.0.0.1/"]}, [("error", "urls[1]")]),
        ({"urls": [URL, f"{URL}/?tenant=2"]}, [("error", "urls[1]")]),
        ({"urls": []}, [("error", "a")]),
        (at(URL, urls=[URL]), [("error", "a")]),
        ({"urls": [URL], "stdio": {"command": ["sh"]}}, [("error", "a")]),
        (run("x", processes=4), []),
        (at("https://localhost/"), [("error", "url")]),
        (at("https://127.0.0.1/"), [("error", "url")]),
        (at("https://[::1]/"), [("error", "url")]),
        (at("https://[::ffff:10.0.0.1]/"), [("error", "url")]),
        (at("https://169.254.169.254/"), [("error", "url")]),
        (at("https://mcp.internal/"), [("error", "url")]),
        (at("https://10.1.2.3/", private=True), []),
        (at("https://0x7f000001/"), [("error", "url")]),
    ],
)
def test_addresses(tmp_path: Path, fields: dict[str, object], expected: list[tuple[str, str]]) -> None:
    assert found(tmp_path, fields) == expected


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        ({"value": "Bearer ${env:TOKEN}"}, []),
        ({"value": "Bearer ${env:MISSING}"}, [("note", "credential.value")]),
        ({"value": "${file:missing}"}, [("note", "credential.value")]),
        ({"value": "Bearer hunter2"}, [("error", "credential.value")]),
        ({"value": "${TOKEN}"}, [("error", "credential.value")]),
        ({"value": "Bearer ${env:TOKEN"}, [("error", "credential.value")]),
        ({"value": f"{TOKEN} ${{env:TOKEN}}"}, [("error", "credential.value")]),
        ({"value": "${env:TOKEN}\nX: y"}, [("error", "credential.value")]),
        ({"header": "X-Api-Key", "value": "${env:TOKEN}"}, []),
        ({"header": "Host", "value": "${env:TOKEN}"}, [("error", "credential.header")]),
        ({"header": "mcp-session-id", "value": "${env:TOKEN}"}, [("error", "credential.header")]),
    ],
)
def test_credentials(tmp_path: Path, credential: dict[str, object], expected: list[tuple[str, str]]) -> None:
    assert found(tmp_path, at(URL, credential=credential)) == expected


def test_a_credential_over_plain_http_is_noted(tmp_path: Path) -> None:
    credential = {"value": "${env:TOKEN}"}
    assert found(tmp_path, at("http://api.example.com", plain_http=True, credential=credential)) == [("note", "credential")]
    assert found(tmp_path, at("http://127.0.0.1", plain_http=True, private=True, credential=credential)) == []


def test_a_secret_file_that_others_may_read_is_noted(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("t0ken")
    secret.chmod(0o644)
    fields = at(URL, credential={"value": "Bearer ${file:token}"})
    assert findings(Ground(tmp_path, {}), {"a": fields}) == [
        ("note", "a.credential.value", f"others may read the secret in {secret}; chmod 600 it")
    ]
    secret.chmod(0o600)
    assert findings(Ground(tmp_path, {}), {"a": fields}) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (run(), []),
        (run(cwd="nowhere"), [("note", "stdio.cwd")]),
        ({"stdio": {"command": ["no-such-program-here"]}}, [("note", "stdio.command[0]")]),
        ({"stdio": {"command": [""]}}, [("error", "stdio.command[0]")]),
        (run("a\0b"), [("error", "stdio.command[1]")]),
        (run(f"--token={TOKEN}"), [("error", "stdio.command[1]")]),
        (run("--api-key", RANDOM), [("error", "stdio.command[2]")]),
        (run(f"--api-key={RANDOM}"), [("error", "stdio.command[1]")]),
        (run("--token", "${env:TOKEN}"), [("error", "stdio.command[2]")]),
        (run("--token-limit", "4096", "--api-key", "--verbose", "/home/me/some/long/path/with/2026/in/it"), []),
        (run(env={"API_TOKEN": "${env:TOKEN}", "LANG": "C.UTF-8", "MAX_TOKENS": "4096", "KEY_FILE": "/run/key", "EMPTY_TOKEN": ""}), []),
        (run(env={"API_TOKEN": "hunter2"}), [("error", "stdio.env.API_TOKEN")]),
        (run(env={"SETTING": TOKEN}), [("error", "stdio.env.SETTING")]),
        (run(env={"SETTING": RANDOM}), [("error", "stdio.env.SETTING")]),
        (run(env={"DSN": "postgres://user:pass@db/x"}), [("error", "stdio.env.DSN")]),
        (run(env={"SETTING": "$${literal}"}), []),
        (run(env={"A-B": "x"}), [("error", "stdio.env.A-B")]),
        (run(env={"A": "x\0"}), [("error", "stdio.env.A")]),
        ({**run(), "credential": {"value": "${env:TOKEN}"}}, [("error", "credential")]),
        ({**run(), "private": True, "plain_http": True}, [("error", "private"), ("error", "plain_http")]),
    ],
)
def test_processes(tmp_path: Path, fields: dict[str, object], expected: list[tuple[str, str]]) -> None:
    assert found(tmp_path, fields) == expected


def test_a_program_is_looked_for_from_the_document_like_the_one_that_is_run(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "server").touch(0o755)
    document = Upstream.model_validate({"stdio": {"command": ["./server"], "cwd": "work"}})
    stdio = anchored(document, tmp_path).stdio
    assert stdio is not None
    assert Path(stdio.command[0]).samefile(tmp_path / "server")
    assert found(tmp_path, {"stdio": {"command": ["./server"], "cwd": "work"}}) == []


def test_an_inline_secret_is_answered_with_how_to_write_a_reference(tmp_path: Path) -> None:
    fields = run(env={"API_TOKEN": "hunter2"})
    ((_, _, message),) = findings(Ground(tmp_path, {"PATH": os.defpath}), {"a": fields})
    assert message == WRITE_A_REFERENCE
    assert "${env:NAME}" in message


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"groups": ["read", "external"]}, []),
        ({"groups": ["read", "write"]}, [("error", "tools.t.groups")]),
        ({"groups": ["read", "destructive"]}, [("error", "tools.t.groups")]),
        ({"groups": ["write"], "reversibility": "read"}, [("error", "tools.t.reversibility")]),
        ({"groups": ["write", "write"]}, [("note", "tools.t.groups")]),
    ],
)
def test_rules(tmp_path: Path, rule: dict[str, object], expected: list[tuple[str, str]]) -> None:
    assert found(tmp_path, at(URL, tools={"t": rule})) == expected


def test_a_timeout_that_total_ends_first_is_noted_only_if_it_was_said(tmp_path: Path) -> None:
    assert found(tmp_path, at(URL, timeouts={"total": 30})) == []
    assert found(tmp_path, at(URL, timeouts={"total": 30, "idle": 40})) == [("note", "timeouts.idle")]


def test_names_that_read_alike_are_noted(tmp_path: Path) -> None:
    every = {name: at(URL) for name in ("github", "git-hub", "glthub", "gitlab")}
    assert findings(Ground(tmp_path, {}), every) == [
        ("note", "git-hub", 'this name reads like "github"'),
        ("note", "glthub", 'this name reads like "github"'),
    ]
