"""What an upstream says in its own words is for operators' eyes, without our credentials in it; no leaf holds any of it."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path

import pytest
from msgspec.structs import replace

from doorward.call.resolve import Caller, make_call
from doorward.credentials.fingerprints import MASK, Fingerprints
from doorward.domain.catalog import Kind, Reversibility, Target
from doorward.domain.decisions import Deny
from doorward.domain.ids import CallId, Digest, TeamId, UpstreamId
from doorward.policy.engine import Policies
from doorward.policy.engine import compile as compile_policies
from doorward.policy.question import Moment
from doorward.policy.rules import Source
from doorward.policy.schema import schema_entry
from doorward.testing.house import Plan
from doorward.testing.playbook import leaves, playbook, tool_call
from tests.call.steps import GIT
from tests.e2e.client import Client
from tests.e2e.log import until
from tests.e2e.witness import Json, Witness, witnessing
from tests.gateway import Running, doorward, http_upstream, stdio_upstream
from tests.net.raw import Peer, response
from tests.serving.asgi import principal
from tests.upstream.kit import header_of
from tests.upstream.servers import script

SECRET = "tok-5f1d0c3b8e7a49d2"
PRIVATE = "ann@example.com is in arrears"


def held(running: Running) -> str:
    """Everything that the log, the journal and the admin API hold."""
    admin = running.admin
    pages = [json.dumps(leaf) for leaf in admin.get("/v1/log", {"limit": 500})["leaves"]]
    return "".join(pages)


def shown(running: Running) -> str:
    return running.journal.read_text() + json.dumps(running.admin.get("/v1/status"))


def test_an_upstreams_error_text_is_not_in_the_log_and_our_credential_nowhere(tmp_path: Path) -> None:
    witness = Witness("session")

    async def refuse(peer: Peer, message: Json, head: bytes) -> None:
        said = f"{PRIVATE}, said {header_of(head, 'Authorization')}"
        error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": said}}
        await peer.send(response(json.dumps(error).encode(), status="400 Bad Request"))

    with witnessing(witness):
        upstream = http_upstream(witness.url, credential={"header": "Authorization", "value": "Bearer ${env:UP_TOKEN}"})
        with doorward(tmp_path, {"upstreams": {"up": upstream}}, environment={"UP_TOKEN": SECRET}) as running:
            witness.behaviours["echo"] = refuse
            with Client(running.url(), running.key()) as client:
                assert client.call("up__echo").reason == "upstream_broken"
            status = running.admin.get("/v1/status")["upstreams"][0]
            assert PRIVATE in status["error"]
            assert MASK in status["error"]
            assert (SECRET in held(running), PRIVATE in held(running)) == (False, False)
            assert SECRET not in shown(running)


def test_the_last_words_of_a_process_are_not_in_the_log_and_its_secrets_nowhere(tmp_path: Path) -> None:
    program = script("import os", f"print('{PRIVATE}, said', os.environ['TOKEN'], file=sys.stderr)", "sys.exit(2)")
    upstream = stdio_upstream(program)
    upstream["stdio"]["env"] = {"TOKEN": "${env:UP_TOKEN}"}
    environment = {"UP_TOKEN": SECRET, "DOORWARD_JOURNAL": "debug"}
    with doorward(tmp_path, {"upstreams": {"up": upstream}}, environment=environment) as running:
        until(lambda: running.events("upstream_missed"))
        assert PRIVATE in running.admin.get("/v1/status")["upstreams"][0]["error"]
        assert PRIVATE in running.events("upstream_missed")[0]["why"]
        assert PRIVATE in running.events("upstream_stderr")[0]["line"]
        assert PRIVATE not in held(running)
        assert SECRET not in held(running) + shown(running)


def test_every_secret_in_a_text_is_masked() -> None:
    fingerprints = Fingerprints(b"k" * 32)
    fingerprints.add(f"Bearer {SECRET}")
    fingerprints.add("another-secret-0123")
    assert fingerprints.mask(f"Bearer {SECRET}, {SECRET} and another-secret-0123.") == f"{MASK}, {MASK} and {MASK}."
    assert fingerprints.mask("nothing of ours") == "nothing of ours"


def test_a_policy_that_cannot_be_evaluated_does_not_tell_the_values() -> None:
    target = Target(UpstreamId("git"), Kind.TOOL, "commit", Digest("0" * 64), TeamId("t"), frozenset({"write"}), Reversibility.IRREVERSIBLE)
    schema = {"name": "commit", "inputSchema": {"type": "object", "properties": {"account": {"type": "integer"}}}}
    rule = (
        '@id("sum") @reason("r") permit (principal, action, resource) when { context.input has account '
        "&& context.input.account * 9223372036854775807 > 0 };"
    )
    policies = compile_policies([Source("p", rule)], [schema_entry(target, schema)], [UpstreamId("git")])
    assert isinstance(policies, Policies)
    call = make_call(CallId("call-1"), Caller(principal("ada"), "tools/call"), target, {"account": 47114711}, {})
    decision = policies.decide(call, Moment(0, UTC))
    assert isinstance(decision, Deny)
    assert "overflow" in decision.reason
    assert "47114711" not in decision.reason


@pytest.mark.anyio
async def test_the_names_of_arguments_that_break_a_schema_are_not_told_in_clear() -> None:
    strict = {"name": "commit", "inputSchema": {"type": "object", "additionalProperties": {"type": "integer"}}}
    async with playbook(Plan({"git": replace(GIT, tools=(strict,))})) as book:
        [leaf] = leaves(await book.play(tool_call("git__commit", {"ann@example.com": "x"})))
        assert leaf.said == "unsafe_request"
        assert "ann@example.com" not in json.dumps(leaf.body)
