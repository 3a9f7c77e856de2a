"""The document over the admin API: shown without secrets, read again as a whole or not at all."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.control.plane import ANN, DOCUMENT, ME, plane

pytestmark = pytest.mark.anyio


async def test_the_document_is_shown_without_any_text_a_secret_may_stand_in(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        _, answer = await it.ask("GET", "/v1/config", uid=ANN)
        upstreams = answer["document"]["upstreams"]
        assert upstreams["git"]["credential"] == {"kind": "header", "header": "Authorization", "value": "${env:GIT_TOKEN}"}
        assert upstreams["time"]["stdio"]["env"] == {"MODE": "a literal"}
        assert "plainly-a-secret" not in json.dumps(answer)
        assert (answer["generation"], answer["digest"]) == (1, it.generations.current.document_digest)


async def test_a_reload_is_told_with_its_changes_and_its_author(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        it.path.write_text(json.dumps({**DOCUMENT, "admission": {"burst": 7}}))
        status, answer = await it.ask("POST", "/v1/reload")
        assert (status, answer["generation"], answer["changes"]) == (200, 2, ["admission.burst: 100 → 7"])
        event, by, fields = (await it.events())[-1]
        assert (event, by, fields["changes"]) == ("config_loaded", ME, "admission.burst: 100 → 7")


async def test_a_bad_document_is_not_taken_and_every_problem_is_told(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        it.path.write_text(json.dumps({**DOCUMENT, "admision": {}, "listen": {"port": "many"}}))
        status, answer = await it.ask("POST", "/v1/reload")
        assert (status, answer["reason"], len(answer["problems"])) == (409, "not_taken", 2)
        assert it.generations.current.generation == 1


async def test_a_policy_that_does_not_parse_is_not_taken(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        (tmp_path / "policy.cedar").write_text("permit (principal, action")
        status, answer = await it.ask("POST", "/v1/reload")
        assert status == 409
        assert [problem.split(":")[0] for problem in answer["problems"]] == [str(tmp_path / "policy.cedar")]
        assert it.generations.current.generation == 1


async def test_a_list_of_another_file_is_shown_by_the_name_of_the_file(tmp_path: Path) -> None:
    listed = {"of": "/path", "kind": "member", "file": "accounts.txt"}
    (tmp_path / "accounts.txt").write_text("DE-4711\n")
    document: Any = DOCUMENT
    upstreams = {**document["upstreams"], "bank": {"url": "https://b.example.com/mcp", "tools": {"pay": {"facts": {"ours": listed}}}}}
    async with plane(tmp_path) as it:
        it.path.write_text(json.dumps({**DOCUMENT, "upstreams": upstreams}))
        assert (await it.ask("POST", "/v1/reload"))[0] == 200
        _, answer = await it.ask("GET", "/v1/config", uid=ANN)
        assert answer["document"]["upstreams"]["bank"]["tools"]["pay"]["facts"]["ours"] == {**listed, "values": []}
        assert "4711" not in json.dumps(answer)


async def test_of_a_credential_by_oauth_no_secret_is_shown_however_deep_it_stands(tmp_path: Path) -> None:
    server = {"issuer": "https://idp.example.com", "client_id": "doorward", "client_secret": "${env:IDP_SECRET}"}
    discovery = {"kind": "header", "value": "Bearer ${env:GIT_TOKEN}"}
    signed = {"key": "${env:SIGNING_KEY}", "issuer": "doorward"}
    exchange = {"kind": "token_exchange", "server": server, "subject_token": "signed", "signed": signed, "discovery": discovery}
    document: Any = DOCUMENT
    upstreams = {**document["upstreams"], "crm": {"url": "https://crm.example.com/mcp", "credential": exchange}}
    async with plane(tmp_path) as it:
        it.path.write_text(json.dumps({**DOCUMENT, "upstreams": upstreams}))
        assert (await it.ask("POST", "/v1/reload"))[0] == 200
        _, answer = await it.ask("GET", "/v1/config", uid=ANN)
        shown = answer["document"]["upstreams"]["crm"]["credential"]
        assert (shown["server"]["client_secret"], shown["signed"]["key"]) == ("${env:IDP_SECRET}", "${env:SIGNING_KEY}")
        assert shown["discovery"]["value"] == "${env:GIT_TOKEN}"
