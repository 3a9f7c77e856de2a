"""The provider that tests sign in with is a real one, and lets people and programs in."""

from __future__ import annotations

import base64
import json
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.browser import Browser
from tests.oidc import provider, sign_in

pytestmark = pytest.mark.peer

BACK = "http://127.0.0.1:9/oauth/callback"


def test_a_person_signs_in_and_a_program_gets_a_token() -> None:
    with provider() as company:
        asked = {"client_id": "doorward", "redirect_uri": BACK, "response_type": "code", "scope": "openid groups", "state": "s"}
        browser = Browser(stops_at=(BACK,))
        page = browser.get(f"{company.issuer}/auth?{urlencode({**asked, 'code_challenge': 'c' * 43, 'code_challenge_method': 'S256'})}")
        told = parse_qs(urlsplit(sign_in(browser, page, "alice").url).query)
        assert told["state"] == ["s"]
        assert told["iss"] == [company.issuer]
        assert told["code"]
        payload = company.token_for_robot("https://mcp.example.com/mcp").split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
        assert (claims["iss"], claims["client_id"], claims["aud"]) == (company.issuer, "robot", "https://mcp.example.com/mcp")
