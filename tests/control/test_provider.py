"""Operators sign in at the network door with a real OpenID Provider, over real connections."""

import json
import os
import time
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

from doorward.config.identity import Issuer
from doorward.domain.secret import Secret
from doorward.identity.sign_in import SignIn
from doorward.net.addresses import Reach, Rule
from doorward.net.fetch import Fetch
from doorward.net.tls import client_context
from tests.browser import Browser, Page
from tests.control.door import LISTEN, SIGNING_IN, network_door, served
from tests.oidc import RELYING_PARTY, provider, sign_in

pytestmark = [pytest.mark.anyio, pytest.mark.peer]

GROUPS: dict[str, Any] = {"gateway-admins": {"role": "admin"}}


def made(name: str, issuer: Issuer) -> SignIn:
    secret, fetch = Secret(str(RELYING_PARTY["client_secret"])), Fetch(Rule(Reach.PRIVATE, frozenset({"http"})))
    return SignIn(issuer, name, lambda: secret, fetch, os.urandom, time.time)


async def test_groups_of_a_real_provider_make_operators_and_nobody_else_gets_in(tmp_path: Path) -> None:
    async with served(tmp_path, lambda origin: network_door(tmp_path, SIGNING_IN, origin, made)) as (origin, ca_file, door):
        door.it.clock.at = time.time()
        client = {**RELYING_PARTY, "application_type": "web", "redirect_uris": [f"{origin}/signin/callback"]}
        with provider((client,)) as company:
            declared = {
                "url": company.issuer,
                "plain_http": True,
                "private": True,
                "sign_in": {"client_id": "doorward", "client_secret": "${env:IDP_SECRET}", "scopes": ["openid", "profile", "groups"]},
            }
            listen = {**LISTEN, "groups": GROUPS}
            await door.change({**SIGNING_IN, "identity": {"issuers": {"corp": declared}}, "control": {"listen": listen}})

            def come(browser: Browser, name: str) -> Page:
                return sign_in(browser, browser.get(f"{origin}/signin"), name)

            alice, bob = (Browser(context=client_context(str(ca_file))) for _ in range(2))
            assert (await anyio.to_thread.run_sync(come, alice, "alice")).status == 200
            me = json.loads((await anyio.to_thread.run_sync(alice.get, f"{origin}/v1/me")).text)
            assert (me["name"], me["role"]) == ("corp:alice", "admin")
            assert "corp:alice" in (await anyio.to_thread.run_sync(alice.get, f"{origin}/")).text
            refused = await anyio.to_thread.run_sync(come, bob, "bob")
            assert (refused.status, "none of your groups has a role" in refused.text) == (403, True)
            assert (await anyio.to_thread.run_sync(bob.get, f"{origin}/v1/me")).status == 401
