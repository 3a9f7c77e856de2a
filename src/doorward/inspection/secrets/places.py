"""Secrets that are told by where they stand: PEM blocks, JSON Web Tokens, addresses, headers, commands, statements of SQL."""

import re2

from doorward.domain.findings import Severity
from doorward.inspection.secrets.checks import basic, jwt, jwt_twice, private_key, written_password
from doorward.inspection.secrets.doubt import bits, is_placeholder, plausible
from doorward.inspection.secrets.keyed import is_random
from doorward.inspection.secrets.rule import LEFT, Rule, shape, token

_TEMPLATE = re2.compile(r"[${}<>%\[\]()]")


def _bearer(secret: str, severity: Severity) -> Severity | None:
    return severity if is_random(secret) else None


def _chosen(secret: str, severity: Severity) -> Severity | None:
    """A password that people choose: only what is clearly none is let be."""
    if is_placeholder(secret) or _TEMPLATE.search(secret) is not None or bits(secret) < 2.0:
        return None
    return severity


PLACES: tuple[Rule, ...] = (
    shape(
        "private_key",
        "PEM (RFC 7468)",
        r"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY",
        r"(?P<secret>-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----"
        r"[0-9A-Za-z+/=\s\\:,.()\"'-]{40,}?-----END (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----"
        r"|-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----[0-9A-Za-z+/=\s\\:,.()\"']{40,})",
        judge=private_key,
    ),
    token("openssh_private_key", "OpenSSH", "b3BlbnNzaC1rZXktdjEA", "[0-9A-Za-z+/]{40,}={0,2}"),
    # What DER writes first: a version of zero and a modulus; a version, an algorithm and an octet string.
    shape(
        "rsa_private_key",
        "PKCS #1 (RFC 8017)",
        r"IBAAKC[0-9A-Za-z+/]{8}",
        r"(?P<secret>MII[0-9A-Za-z+/]{3}IBAAKC[0-9A-Za-z+/]{60,}={0,2})",
    ),
    shape(
        "pkcs8_private_key",
        "PKCS #8 (RFC 5958)",
        r"IBADANBgkqhkiG9w0BAQEF|CAQAwBQYDK2Vw|AgEAMBMGByqGSM49",
        r"(?P<secret>M[0-9A-Za-z+/]{2,6}(?:IBADANBgkqhkiG9w0BAQEF|CAQAwBQYDK2Vw|AgEAMBMGByqGSM49)[0-9A-Za-z+/]{24,}={0,2})",
    ),
    token("ec_private_key", "SEC 1 (RFC 5915)", "M(?:HcCAQEEI|IGkAgEBBD)", "[0-9A-Za-z+/]{60,}={0,2}"),
    token("putty_private_key", "PuTTY", "Private-Lines: [0-9]{1,3}[\\s\\\\rn]{1,8}", "[0-9A-Za-z+/]{40,}"),
    shape(
        "jwk_private_key",
        "JWK (RFC 7517)",
        r"\"?\b(?:d|k)\"?[\s]*:[\s]*\"?[0-9A-Za-z_-]{32}",
        r"(?:[\"'\x00]|\b)(?:d|k)[\"'\\\s]*(?::|\x01)[\"'\\\s]*(?P<secret>[0-9A-Za-z_-]{43,700})",
        judge=_bearer,
    ),
    shape(
        "jwt",
        "JWT (RFC 7519)",
        r"ey[0-9A-Za-z_-]{14,}\.ey[0-9A-Za-z_-]{10}",
        LEFT + r"(?P<secret>ey[0-9A-Za-z_-]{14,}\.ey[0-9A-Za-z_-]{10,}(?:\.[0-9A-Za-z_-]*){0,3})",
        judge=jwt,
    ),
    token("jwt_in_base64", "JWT (RFC 7519)", "ZXlK", "[0-9A-Za-z+/_-]{40,}={0,2}", judge=jwt_twice),
    token("ntlm_answer", "NTLM", "TlRMTVNTUAAD", "[0-9A-Za-z+/]{60,}={0,2}", judge=plausible),
    shape(
        "url_password",
        "URLs (RFC 3986)",
        r"://[^\s/@:\"']*:[^\s/@\"']{3}[^\s/@\"']*@",
        r"[0-9A-Za-z+.-]{2,30}://[^\s/@:\"'<>\\\x00\x01]*:(?P<secret>[^\s/@\"'<>\\\x00\x01]{3,200})@[0-9A-Za-z\[_-]",
        Severity.MEDIUM,
        written_password,
    ),
    shape(
        "basic_authorization",
        "HTTP Basic (RFC 7617)",
        r"(?i:basic)[\s:]+[0-9A-Za-z+/_-]{10}",
        r"\b(?i:basic)[\s:]+(?P<secret>[0-9A-Za-z+/_-]{10,}={0,2})",
        Severity.MEDIUM,
        basic,
    ),
    shape(
        "bearer_token",
        "HTTP Bearer (RFC 6750)",
        r"(?i:bearer)[\s:]+[0-9A-Za-z._~+/-]{16}",
        r"\b(?i:bearer)[\s:]+(?P<secret>[0-9A-Za-z._~+/-]{16,}={0,2})",
        Severity.MEDIUM,
        _bearer,
    ),
    shape(
        "curl_header",
        "curl",
        r"(?i:curl)\s[^\n]*(?:-H|--header)[^\n]*(?i:key|token|auth|secret)[\w-]*:\s*\S{6}",
        r"(?i:curl)\s[^\n\x00\x01]*(?:-H|--header)[\s\"'\\=]*[\w-]*(?i:key|token|auth|secret)[\w-]*:\s*(?:(?i:bearer|basic|token)\s+)?"
        r"(?P<secret>[^\s\"'\\\x00\x01]{6,})",
        Severity.LOW,
        _chosen,
    ),
    shape(
        "curl_user",
        "curl",
        r"(?i:curl)\s[^\n]*\s(?:-u|--user)[\s=]*[^\s:]+:\S{6}",
        r"(?i:curl)\s[^\n\x00\x01]*\s(?:-u|--user)[\s\"'\\=]*[^\s:\"'\\]+:(?P<secret>[^\s\"'\\\x00\x01]{6,})",
        Severity.LOW,
        _chosen,
    ),
    shape(
        "sql_password",
        "SQL",
        r"(?i:(?:create|alter)\s+(?:user|role|login)\s[^;]*(?:identified\s+(?:with\s+\S+\s+)?(?:by|as)|password\s*=?))[\"'`\s]*\S{6}",
        r"(?i:(?:create|alter)\s+(?:user|role|login)\s[^;\x00\x01]*(?:identified\s+(?:with\s+\S+\s+)?(?:by|as)|password\s*=?))\s*"
        r"[\"'`\\]*(?P<secret>[^\s\"'`;\\\x00\x01]{6,})",
        Severity.LOW,
        _chosen,
    ),
    shape(
        "command_password",
        "commands",
        r"-(?i:pass(?:word|phrase|in|out)?|passwd|token|secret|api-?key)[\s=]+[^\s-][^\s]{5}",
        r"\B-{1,2}(?i:pass(?:word|phrase|in|out)?|passwd|token|secret|api-?key)[\s=\"']+(?:pass:)?(?P<secret>[^\s\"'`;,\\\x00\x01-][^\s\"'`;,\\\x00\x01]{5,})",
        Severity.LOW,
        _chosen,
    ),
)
