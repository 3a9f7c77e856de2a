"""The guard of our own credentials."""

import pytest

from doorward.credentials.fingerprints import Fingerprints
from doorward.domain.findings import Finding, Part, Severity
from doorward.inspection.guards.own_secrets import OwnSecrets
from doorward.inspection.view import Carrier, View, request_body
from tests.made import call

SECRET = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"


def guard(*secrets: str) -> OwnSecrets:
    known = Fingerprints(b"k" * 32)
    for secret in secrets:
        known.add(secret)
    return OwnSecrets(known)


def look(body: dict[str, object], *secrets: str) -> tuple[Finding, ...]:
    return guard(*secrets).look(View(Carrier.RESPONSE, call(), body))


def test_our_credential_in_a_result_is_found_in_its_place() -> None:
    assert look({"content": [{"type": "text", "text": f"token={SECRET}"}]}, SECRET) == (
        Finding("own_secrets", "own_credential", Severity.HIGH, "/content/0/text", 6, 46),
    )


def test_our_credential_in_an_argument_or_a_key_is_found() -> None:
    asked = call({"url": f"https://x.example/?q={SECRET}", SECRET: 1})
    found = guard(SECRET).look(View(Carrier.REQUEST, asked, request_body(asked)))
    assert [(finding.pointer, finding.part) for finding in found] == [
        ("/arguments/url", Part.VALUE),
        (f"/arguments/{SECRET}", Part.KEY),
    ]


@pytest.mark.parametrize("strewn", ["\u200b", "\u2060", "\x1b[0m", "\U000e0041", "\ufe0f"], ids=ascii)
def test_a_credential_with_unseen_characters_strewn_in_is_found_whole(strewn: str) -> None:
    hidden = strewn.join(SECRET)
    assert look({"text": f"<{hidden}>"}, SECRET) == (Finding("own_secrets", "own_credential", Severity.HIGH, "/text", 0, 0),)


def test_a_credential_that_json_escapes_is_found() -> None:
    odd = 'quote"back\\slash/bell\x07'
    (found,) = look({"text": f"<{odd}>"}, odd)
    assert (found.start, found.end) == (1, 1 + len(odd))


def test_nothing_is_found_where_nothing_is_ours() -> None:
    assert look({"text": SECRET}) == ()
    assert look({"text": SECRET[:-1] + "b"}, SECRET) == ()
    assert look({"text": "plain \u200b text"}, SECRET) == ()
