"""An authorization server that could not work, or would let in more than is meant, is found before anything is served."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from doorward.config.check_authority import authority
from doorward.config.ground import Ground
from doorward.config.load import read
from doorward.config.model import Document
from doorward.config.problems import dotted

ISSUERS = {"corp": {"url": "https://idp.example.com", "sign_in": {"client_id": "gate"}}, "bare": {"url": "https://bare.example.com"}}
ENROL = [{"issuer": "self", "client": "https://*.example.org/*", "agent": "{name}", "team": "ci", "owner": "ada"}]
CLIENT = {"name": "Desk", "redirect_uris": ["https://desk.example/cb"]}
SIGNED = {"name": "Bot", "grants": ["client_credentials"], "jwks_url": "https://bot.example/jwks.json"}


def found(root: Path = Path("/nowhere"), listen: dict[str, Any] | None = None, **fields: object) -> list[tuple[str, str]]:
    identity = {"issuers": ISSUERS, "enrol": ENROL, "authority": {"sign_in": "corp", **fields}}
    document = Document.model_validate({"identity": identity, "listen": listen or {}})
    return [(one.weight.value, dotted(one.path).removeprefix("identity.authority.")) for one in authority(document, root)]


def test_what_can_work_has_no_findings() -> None:
    known = {"desk": CLIENT, "bot": SIGNED}
    assert found(known=known, listen={"host": "0.0.0.0", "public_url": "https://gate.example.com"}) == []
    assert found(clients={"document_hosts": ["*.example.org", "tool.example"]}, listen={"public_url": "http://127.0.0.1:8420"}) == []


@pytest.mark.parametrize("listen", [{"host": "0.0.0.0"}, {"host": "0.0.0.0", "public_url": "http://gate.example.com"}])
def test_browsers_come_over_https(listen: dict[str, Any]) -> None:
    assert found(listen=listen) == [("error", "listen.public_url")]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"sign_in": "crop"}, [("error", "sign_in")]),
        ({"sign_in": "bare"}, [("error", "sign_in")]),
        ({"assertions": ["crop"]}, [("error", "assertions[0]")]),
        ({"assertions": ["corp"], "clients": {"documents": False}}, [("note", "assertions")]),
        ({"clients": {"dynamic": True}}, [("note", "clients.dynamic")]),
        ({"clients": {"private": True}}, [("note", "clients.private")]),
        ({"clients": {"documents": False, "document_hosts": ["a.example"]}}, [("note", "clients.document_hosts")]),
        ({"clients": {"document_hosts": ["*example.org"]}}, [("error", "clients.document_hosts[0]")]),
        ({"clients": {"document_hosts": ["https://a.example"]}}, [("error", "clients.document_hosts[0]")]),
        ({"clients": {"document_hosts": ["A.example"]}}, [("error", "clients.document_hosts[0]")]),
        ({"clients": {"ca_file": "ca.pem"}}, [("error", "clients.ca_file")]),
        ({"known": {"a b": CLIENT}}, [("error", 'known["a b"]')]),
        ({"known": {"dyn-a": CLIENT}}, [("error", "known.dyn-a")]),
        ({"known": {"corp:ann": CLIENT}}, [("error", 'known["corp:ann"]')]),
        ({"known": {"d": {"name": "D"}}}, [("error", "known.d.redirect_uris")]),
        ({"known": {"d": {**CLIENT, "redirect_uris": ["app://cb"]}}}, [("error", "known.d.redirect_uris[0]")]),
        ({"known": {"d": {**CLIENT, "redirect_uris": ["https://u@a.example/"]}}}, [("error", "known.d.redirect_uris[0]")]),
        ({"known": {"d": {**SIGNED, "redirect_uris": ["https://a.example/"]}}}, [("note", "known.d.redirect_uris")]),
        ({"known": {"d": {**SIGNED, "grants": ["refresh_token"]}}}, [("note", "known.d.grants")]),
        ({"known": {"d": {**SIGNED, "jwks_url": None}}}, [("error", "known.d.grants")]),
        ({"known": {"d": {**SIGNED, "jwks_url": "http://bot.example/jwks"}}}, [("error", "known.d.jwks_url")]),
        ({"known": {"d": {**SIGNED, "jwks_file": "k.json"}}}, [("error", "known.d.jwks_url"), ("error", "known.d.jwks_file")]),
        ({"known": {"d": {**SIGNED, "secret_sha256": "ab" * 32}}}, [("error", "known.d.secret_sha256")]),
        ({"known": {"d": {**SIGNED, "jwks_url": None, "secret_sha256": "ab" * 32}}}, []),
        ({"known": {"d": {**SIGNED, "jwks_url": None, "secret_sha256": sha256().hexdigest()}}}, [("error", "known.d.secret_sha256")]),
        ({"known": {"d": {**SIGNED, "grants": ["jwt-bearer"]}}}, [("note", "assertions")]),
        ({"known": {"d": {**SIGNED, "scopes": ["admin"]}}}, [("error", "known.d.scopes[0]")]),
        ({"known": {"d": {**SIGNED, "scopes": ["mcp:git:write"]}}}, [("error", "known.d.scopes[0]")]),
        ({"known": {"d": {**SIGNED, "scopes": ["mcp:git:read"]}}}, [("note", "known.d.scopes[0]")]),
    ],
    ids=str,
)
def test_what_cannot_work_is_found(fields: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(**fields) == expected


@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        ('{"keys": [{"kty": "EC", "x": "x"}]}', True),
        ('{"keys": [{"kty": "EC", "d": "secret"}]}', False),
        ('{"keys": [{"kty": "oct", "k": "secret"}]}', False),
        ('{"keys": []}', False),
        ("[]", False),
        ("no json", False),
    ],
)
def test_a_file_of_keys_holds_public_ones(tmp_path: Path, text: str, is_good: bool) -> None:
    (tmp_path / "keys.json").write_text(text)
    client = {"name": "Bot", "grants": ["client_credentials"], "jwks_file": "keys.json"}
    assert found(tmp_path, known={"d": client}) == ([] if is_good else [("error", "known.d.jwks_file")])


def test_rules_for_clients_of_ours_name_them_by_id() -> None:
    rule = {**ENROL[0], "claims": {"department": "eng"}}
    document = Document.model_validate({"identity": {"issuers": ISSUERS, "enrol": [rule], "authority": {"sign_in": "corp"}}})
    assert [dotted(one.path) for one in authority(document, Path("/nowhere"))] == ["identity.enrol[0].claims"]
    none = Document.model_validate({"identity": {"issuers": ISSUERS, "authority": {"sign_in": "corp"}}})
    assert [(one.weight.value, dotted(one.path)) for one in authority(none, Path("/nowhere"))] == [("note", "identity.enrol")]


def test_the_page_on_the_authority_shows_one_that_has_no_findings() -> None:
    page = (Path(__file__).parents[2] / "docs" / "identity" / "authority.md").read_text("utf-8")
    shown = page.partition("```yaml\n")[2].partition("```")[0]
    document = read(shown.encode(), Path("doorward.yaml"), Ground(Path("/"), {})).document
    assert list(authority(document, Path("/"))) == []
