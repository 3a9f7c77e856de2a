"""What tokens prove of themselves. The tokens here are made of numbers in a row, and nobody issued them."""

import base64
import json
import zlib

import pytest

from doorward.domain.findings import Severity
from doorward.inspection.secrets import checks
from doorward.inspection.secrets.rule import Judge

HIGH, MEDIUM, LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW
BODY = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xYz"
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def base62(number: int) -> str:
    digits = [BASE62[number // 62**place % 62] for place in range(6)]
    return "".join(reversed(digits))


def jose(header: dict[str, object], claims: dict[str, object]) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, claims)]
    return ".".join([*parts, "c2lnbmF0dXJlLW9mLW5vYm9keQ"])


def test_github_and_npm_end_with_a_checksum() -> None:
    token = "ghp_" + BODY + base62(zlib.crc32(BODY.encode()))
    assert checks.crc_base62(token, HIGH) is HIGH
    assert checks.crc_base62(token[:-1] + ("a" if token[-1] != "a" else "b"), HIGH) is MEDIUM


def test_a_checksum_outweighs_what_looks_like_a_placeholder() -> None:
    zeros = "0" * 30
    assert checks.crc_base62("npm_" + zeros + base62(zlib.crc32(zeros.encode())), HIGH) is HIGH
    assert checks.crc_base62("npm_" + zeros + "000000", HIGH) is None


def test_an_age_key_is_bech32() -> None:
    # The example of BIP 173 for a text of its own, in capitals as age writes its keys.
    assert checks.bech32("A12UEL5L", HIGH) is HIGH
    assert checks.bech32("AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE", HIGH) is MEDIUM


def test_a_nats_seed_ends_with_a_checksum() -> None:
    raw = bytes([0x90 | 5, 0]) + bytes(range(32))
    seed = base64.b32encode(raw + binascii_crc(raw)).decode().rstrip("=")
    assert checks.crc16_base32(seed, HIGH) is HIGH
    assert checks.crc16_base32(seed[:-2] + "AA", HIGH) is not HIGH


def binascii_crc(raw: bytes) -> bytes:
    check = 0
    for byte in raw:
        check ^= byte << 8
        for _ in range(8):
            check = (check << 1 ^ 0x1021 if check & 0x8000 else check << 1) & 0xFFFF
    return check.to_bytes(2, "little")


@pytest.mark.parametrize(
    ("token", "weight"),
    [
        (jose({"alg": "HS256"}, {"sub": "1"}), HIGH),
        (jose({"alg": "RS256"}, {"sub": "1"}).rpartition(".")[0], MEDIUM),
        (jose({"typ": "JWT"}, {"sub": "1"}), None),
        ("eyelashes-and-more.eyebrows-and-more.end", LOW),
        ("eyJh9kQ2Zx7Lw0Vb3Nn.eyR5tY8uI1oP4aS6dF.x", MEDIUM),
    ],
    ids=["read", "without its signature", "without an algorithm", "words", "altered"],
)
def test_a_json_web_token_is_read(token: str, weight: Severity | None) -> None:
    assert checks.jwt(token, HIGH) is weight


def test_a_json_web_token_in_base64_is_read() -> None:
    twice = base64.b64encode(jose({"alg": "HS256"}, {"sub": "1"}).encode()).decode()
    assert checks.jwt_twice(twice, HIGH) is HIGH
    assert checks.jwt_twice("ZXlK" + "abcd" * 12, HIGH) is not HIGH


def test_an_aws_key_is_base_32() -> None:
    assert checks.base32_key("AKIA" + "Q2W3E4R5T6Y7UPAS", HIGH) is HIGH
    assert checks.base32_key("AKIA" + "Q2W3E4R5T6Y8UPAS", HIGH) is MEDIUM
    assert checks.base32_key("AKIA" + "IOSFODNN7EXAMPLE", HIGH) is None


def test_a_bot_of_discord_has_a_number() -> None:
    number = base64.b64encode(b"198622483471925248").decode()
    assert checks.of_digits(f"{number}.Cl2FMQ.{BODY}", HIGH) is HIGH
    assert checks.of_digits(f"M{BODY[:23]}.Cl2FMQ.{BODY}", HIGH) is MEDIUM


def test_a_token_of_a_data_center_of_atlassian_is_a_number_and_twenty_bytes() -> None:
    assert checks.numbered(base64.b64encode(b"123456789012:" + bytes(range(100, 120))).decode(), HIGH) is HIGH
    assert checks.numbered(base64.b64encode(b"123456789012;" + bytes(range(100, 120))).decode(), HIGH) is None


def test_a_storage_key_of_azure_has_64_bytes() -> None:
    assert checks.storage_key(base64.b64encode(bytes(range(64))).decode(), HIGH) is HIGH
    assert checks.storage_key(base64.b64encode(bytes(64)).decode(), HIGH) is None


def test_basic_is_a_name_and_a_password() -> None:
    assert checks.basic(base64.b64encode(b"ada:Tr0ub4dor-and-3").decode(), MEDIUM) is MEDIUM
    assert checks.basic(base64.b64encode(b"user:password").decode(), MEDIUM) is None
    assert checks.basic("authentication", MEDIUM) is None


def test_a_pem_block_holds_a_key() -> None:
    coded = base64.b64encode(bytes(range(96))).decode()
    begin, end = "-----BEGIN EC PRIVATE " + "KEY-----", "-----END EC PRIVATE " + "KEY-----"
    assert checks.private_key(f"{begin}\n{coded}\n{end}", HIGH) is HIGH
    assert checks.private_key(f"{begin}\\n{coded}\\n{end}", HIGH) is HIGH
    assert checks.private_key(f"{begin}\n...\n{end}", HIGH) is None


@pytest.mark.parametrize("text", ["", "é" * 8, "====", "A", "{}", "\udcff"])
@pytest.mark.parametrize("check", [checks.jwt, checks.jwt_twice, checks.of_digits, checks.numbered, checks.storage_key, checks.basic])
def test_no_text_breaks_a_check(check: Judge, text: str) -> None:
    assert check(text, LOW) in {None, LOW, MEDIUM}
