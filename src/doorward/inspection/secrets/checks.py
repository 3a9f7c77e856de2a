"""What a token proves of itself: checksums (CRC-32, CRC-16, Bech32), and structures that can be read (JWT, macaroons, base64 of digits)."""

import base64
import binascii
import json
import zlib

from doorward.domain.findings import Severity
from doorward.inspection.bech32 import BECH32, checksum
from doorward.inspection.secrets.doubt import has_run, is_placeholder, lower, plausible

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MOST_READ = 16 * 1024
"""Characters of one token that are decoded; a real one is shorter."""


def crc_base62(secret: str, severity: Severity) -> Severity | None:
    """GitHub and npm: the last six characters are the CRC-32 of those between prefix and them, in base 62."""
    _, _, body = secret.rpartition("_")
    if _in_base62(zlib.crc32(body[:-6].encode())) == body[-6:]:
        return severity
    return plausible(body, lower(severity))


def _in_base62(number: int) -> str:
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits


def bech32(secret: str, severity: Severity) -> Severity | None:
    """age: Bech32 (BIP 173), in capitals."""
    small = secret.lower()
    return severity if checksum(small) == BECH32 else plausible(small.rpartition("1")[2], lower(severity))


def crc16_base32(secret: str, severity: Severity) -> Severity | None:
    """NATS: base 32 of two bytes of prefix, a seed of 32, and the CRC-16 (XMODEM) of these, low byte first."""
    try:
        raw = base64.b32decode(secret + "=" * (-len(secret) % 8))
    except binascii.Error:
        return None
    if binascii.crc_hqx(raw[:-2], 0).to_bytes(2, "little") == raw[-2:]:
        return severity
    return plausible(secret, lower(severity))


def base32_key(secret: str, severity: Severity) -> Severity | None:
    """AWS: four letters that say what it is, and sixteen of base 32."""
    is_base32 = not set(secret[4:]) & set("0189")
    return plausible(secret, severity if is_base32 else lower(severity))


def jwt(secret: str, severity: Severity) -> Severity | None:
    """JSON Web Token (RFC 7519): its header is read, and names an algorithm; of less weight what is cut or altered."""
    parts = secret.split(".")
    header = _object(parts[0])
    if header is None:
        is_drawn = all(any(map(str.isdigit, part)) and any(map(str.isupper, part)) for part in parts[:2])
        return plausible(secret, Severity.MEDIUM if is_drawn else Severity.LOW)
    if "alg" not in header:
        return None
    is_read = len(parts) > 2 and (_object(parts[1]) is not None or "enc" in header)
    return severity if is_read else lower(severity)


def jwt_twice(secret: str, severity: Severity) -> Severity | None:
    """A JSON Web Token that is in base64 once more."""
    inner = read_base64(secret)
    first = "" if inner is None else inner.decode("ascii", "replace").split(".")[0]
    return severity if _object(first) is not None else plausible(secret, Severity.LOW)


def _object(part: str) -> dict[str, object] | None:
    raw = read_base64(part)
    try:
        read = None if raw is None else json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def read_base64(text: str) -> bytes | None:
    """What a text says in base64 or base64url; None if it is none."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    if len(plain) > _MOST_READ or len(plain) % 4 == 1:
        return None
    try:
        return binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
    except ValueError:  # also where there is a letter that is not of ASCII
        return None


def of_digits(secret: str, severity: Severity) -> Severity | None:
    """Discord: the first part is the id of the bot in base64."""
    said = read_base64(secret.split(".", maxsplit=1)[0])
    if said is not None and said.isdigit():
        return severity
    return plausible(secret, lower(severity))


def numbered(secret: str, severity: Severity) -> Severity | None:
    """Atlassian data centers: base64 of a number, a colon and twenty random bytes."""
    raw = read_base64(secret)
    number, colon, rest = (raw or b"").partition(b":")
    return severity if colon and number.isdigit() and len(rest) == 20 else None


def storage_key(secret: str, severity: Severity) -> Severity | None:
    """Azure storage: base64 of 64 bytes."""
    raw = read_base64(secret)
    return severity if raw is not None and len(raw) == 64 and not has_run(secret) else None


def basic(secret: str, severity: Severity) -> Severity | None:
    """HTTP Basic (RFC 7617): base64 of a name, a colon and a password."""
    raw = read_base64(secret)
    if raw is None:
        return None
    _, colon, password = raw.decode("utf-8", "replace").partition(":")
    return severity if colon and password and not is_placeholder(password) else None


def private_key(secret: str, severity: Severity) -> Severity | None:
    """PEM (RFC 7468): there is a key between the lines, not dots or a word."""
    _, _, body = secret.replace("\\n", "\n").replace("\\r", "\r").partition("KEY")
    coded = "".join(line.strip(" \t\\\"'+,") for line in body.splitlines() if ":" not in line and "---" not in line) or body
    return None if len(coded) < 32 or has_run(coded[:256]) else severity


def written_password(secret: str, severity: Severity) -> Severity | None:
    """A password in an address: what everybody writes into examples is hardly one."""
    if is_placeholder(secret):
        return None
    return severity if len(secret) >= 8 and len(set(secret)) > 4 else Severity.LOW
