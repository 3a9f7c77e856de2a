"""The guard of secrets of others. What stands here for a secret is put together from halves, and nobody issued it."""

import base64
import json
import time
from collections.abc import Mapping
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.domain.findings import Finding, Part, Severity
from doorward.inspection.edit import redact
from doorward.inspection.guards.secrets import OtherSecrets
from doorward.inspection.secrets.search import UnknownRuleError
from doorward.inspection.view import Carrier, View, request_body
from tests.made import call

GUARD = OtherSecrets()
DRAWN = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xYz0C"
STRIPE = "sk_" + "live_" + DRAWN
KEY = "\n".join(["-----BEGIN RSA PRIVATE " + "KEY-----", base64.b64encode(bytes(range(96))).decode(), "-----END RSA PRIVATE " + "KEY-----"])


def look(body: dict[str, object], guard: OtherSecrets = GUARD) -> tuple[Finding, ...]:
    return guard.look(View(Carrier.RESPONSE, call(), body))


def rules(body: Mapping[str, object]) -> list[tuple[str, str, str]]:
    return [(finding.pointer, finding.rule, finding.severity.value) for finding in look(dict(body))]


def test_a_token_in_a_result_is_found_in_its_place() -> None:
    assert look({"content": [{"type": "text", "text": f"the key is {STRIPE}, keep it"}]}) == (
        Finding("secrets", "stripe_live_key", Severity.HIGH, "/content/0/text", 11, 11 + len(STRIPE)),
    )


def test_only_the_secret_is_taken_out() -> None:
    body: dict[str, object] = {"text": f"DATABASE=postgres://ada:{DRAWN}@db.example/main and {STRIPE}."}
    assert redact(body, look(body)) == {
        "text": "DATABASE=postgres://ada:[withheld: url_password]@db.example/main and [withheld: stripe_live_key]."
    }


def test_a_token_in_an_argument_or_a_key_is_found() -> None:
    asked = call({"note": STRIPE, STRIPE: 1})
    found = GUARD.look(View(Carrier.REQUEST, asked, request_body(asked)))
    assert [(finding.pointer, finding.part) for finding in found] == [
        ("/arguments/note", Part.VALUE),
        (f"/arguments/{STRIPE}", Part.KEY),
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"export STRIPE={STRIPE}\n",
        f"({STRIPE})",
        f"key:{STRIPE};",
        json.dumps({"a": f"first\n{STRIPE}\n"}),
        json.dumps(json.dumps({"a": f"first\n{STRIPE}\n"})),
        f"https://x.example/?key={STRIPE}&a=1",
        f"q%3D{STRIPE}",
        f"\x1b[93m{STRIPE}\x1b[0m",
        f"größe: {STRIPE}",
    ],
)
def test_a_token_is_found_whatever_is_around_it(text: str) -> None:
    (found,) = look({"text": text})
    assert text[found.start : found.end] == STRIPE


def test_a_key_in_a_pem_block_is_one_secret() -> None:
    for text in (KEY, KEY.replace("\n", "\\n"), KEY.replace("\n", "\r\n"), f"{{'private': '{KEY}'}}"):
        (found,) = look({"text": f"before {text} after"})
        assert (found.rule, found.severity) == ("private_key", Severity.HIGH)
        assert redact({"text": f"before {text} after"}, [found])["text"] in {
            "before [withheld: private_key] after",
            "before {'private': '[withheld: private_key]'} after",
        }


def test_a_key_that_is_cut_off_is_a_secret() -> None:
    (found,) = look({"text": KEY[:150]})
    assert (found.rule, found.start, found.end) == ("private_key", 0, 150)


def test_a_member_whose_name_says_secret_is_looked_at() -> None:
    assert rules({"api_key": DRAWN, "db": {"password": "Tr0ub4dor&3"}, "refreshToken": [DRAWN]}) == [
        ("/api_key", "assigned_secret", "medium"),
        ("/db/password", "assigned_password", "low"),
        ("/refreshToken/0", "assigned_secret", "medium"),
    ]


def test_a_pair_of_name_and_value_is_looked_at() -> None:
    assert rules({"env": [{"name": "API_KEY", "value": DRAWN}]}) == [("/env/0/value", "assigned_secret", "medium")]


def test_a_vendor_by_name_is_looked_at() -> None:
    assert rules({"text": "ALGOLIA_ADMIN_KEY=" + "2nf0e9q6v1qf4ji6" + "5dlvcef12cgjad9s"}) == [("/text", "algolia_key", "medium")]


@pytest.mark.parametrize(
    "body",
    [
        {"nextPageToken": DRAWN},
        {"csrf_token": DRAWN},
        {"public_key": DRAWN},
        {"secret_name": DRAWN},
        {"api_key": "your-api-key-goes-here-1"},
        {"api_key": "${API_KEY_OF_STRIPE_1}"},
        {"token": "os.environ.get('TOKEN_1')"},
        {"password": "********"},
        {"text": "Reset your password: https://x.example/reset"},
        {"text": "AKIA" + "IOSFODNN7EXAMPLE"},
        {"text": "ghp_" + "x" * 36},
        {"text": "https://user:password@host.example/"},
        {"text": "Authorization: Bearer <token>"},
        {"commit": "43fc912ef59a83054ea7f6706df4d53a7dea4d80", "sha256": "ab" * 32, "id": "123e4567-e89b-42d3-a456-426614174000"},
    ],
)
def test_what_is_no_secret_is_let_be(body: dict[str, object]) -> None:
    assert look(body) == ()


def test_a_secret_in_another_writing_is_found_where_that_stands() -> None:
    coded = base64.b64encode(f"the key is {STRIPE}, keep it".encode()).decode()
    (found,) = look({"text": f"see {coded} there"})
    assert (found.rule, found.start, found.end) == ("stripe_live_key", 4, 4 + len(coded))


def test_characters_that_are_not_seen_do_not_hide_a_secret() -> None:
    assert [finding.rule for finding in look({"text": "\u200b".join(STRIPE)})] == ["stripe_live_key"]


def test_what_is_percent_encoded_and_plain_is_found_once() -> None:
    text = f"{quote('a b', safe='')}%20{quote('ü', safe='')} {STRIPE}"
    (found,) = look({"text": text})
    assert text[found.start : found.end] == STRIPE


def test_rules_can_be_off_and_texts_allowed() -> None:
    body: dict[str, object] = {"text": STRIPE}
    assert look(body, OtherSecrets(off=["stripe_live_key"])) == ()
    assert look(body, OtherSecrets(allow=["^sk_live_aB3"])) == ()
    assert len(look(body, OtherSecrets(allow=["^sk_live_zz"]))) == 1


def test_a_rule_that_is_not_there_cannot_be_off() -> None:
    with pytest.raises(UnknownRuleError, match="'stripe'"):
        OtherSecrets(off=["stripe"])


def test_more_secrets_than_are_told_withhold_the_message() -> None:
    assert len(look({"text": " ".join(["AKIA" + DRAWN[:16].upper()] * 3000)})) > 1024


JSON = st.recursive(
    st.text(max_size=60), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3)
)


@given(JSON, st.sampled_from(["", "token: ", "x=", '"', "\\n", "é", "\u200b"]), st.sampled_from(["", " ", '"', "é", "\\", ","]))
@settings(max_examples=60, deadline=None)
def test_wherever_a_token_stands_redaction_leaves_nothing_of_it(around: object, before: str, after: str) -> None:
    body: dict[str, object] = {"around": around, "text": f"{before}{STRIPE}{after}"}
    assert STRIPE not in json.dumps(redact(body, [finding for finding in look(body) if finding.pointer == "/text"]), ensure_ascii=False)


@given(JSON)
@settings(max_examples=60, deadline=None)
def test_the_same_message_gives_the_same_findings_within_its_texts(body: object) -> None:
    whole: dict[str, object] = {"body": body}
    assert look(whole) == look(whole)
    redact(whole, [finding for finding in look(whole) if finding.pointer != "/body" or isinstance(body, str)])


RUNS = [
    "a",
    "A",
    "0",
    "-",
    ".",
    "=",
    ":",
    "{",
    "\\",
    '"',
    "ey",
    "eyJ.",
    "://",
    "a://b:c@",
    "token=",
    "token,",
    "password: ",
    "sk-",
    "AKIA",
    "-----BEGIN ",
]
RUNS += ["-----BEGIN RSA PRIVATE KEY-----\n", "curl -H ", "create user ", "twitter = ", "bearer ", "aB3$"]


@pytest.mark.parametrize("run", RUNS)
def test_the_cost_of_near_misses_is_linear(run: str) -> None:
    """Eight times the text may take no more than thirty times as long: what is quadratic takes sixty-four times."""
    short, long = (run * (size // len(run)) for size in (16_384, 131_072))
    look({"text": short})
    assert _seconds(long) < 30 * _seconds(short) + 0.1


def _seconds(text: str) -> float:
    def once() -> float:
        begun = time.perf_counter()
        look({"text": text})
        return time.perf_counter() - begun

    return min(once() for _ in range(3))
