"""Asks a gateway for a certificate (`POST /enroll`), proven by an agent key or by the certificate that ends; on the standard library."""

import http.client
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30.0
_ANSWER_BYTES = 65_536
_SHOWN = 300
_TYPE = "application/x-pem-file"


class EnrollError(Exception):
    """The gateway is not there, is not trusted, or does not give a certificate."""


@dataclass(frozen=True, slots=True, repr=False)
class Proof:
    """What the agent proves itself with: a key, or the paths of the certificate it has and of its private key."""

    agent_key: str = ""
    chain: Path | None = None
    private_key: Path | None = None


def enrolled(url: str, request: bytes, proof: Proof, ca_file: Path | None) -> bytes:
    """The chain (PEM) that the gateway gives for a signing request (PEM); raises `EnrollError`."""
    connection = _connection(url, proof, ca_file)
    headers = {"Content-Type": _TYPE, "Connection": "close"}
    if proof.agent_key:
        headers["Authorization"] = f"Bearer {proof.agent_key}"
    try:
        connection.request("POST", "/enroll", request, headers)
        response = connection.getresponse()
        answer = response.read(_ANSWER_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        raise EnrollError(f"the gateway at {url} cannot be asked: {error}") from error
    finally:
        connection.close()
    if response.status != 200 or len(answer) > _ANSWER_BYTES:
        raise EnrollError(f"the gateway gives no certificate (status {response.status}): {_shown(answer)}")
    return answer


def _connection(url: str, proof: Proof, ca_file: Path | None) -> http.client.HTTPSConnection:
    wanted = EnrollError("expected a url of https://, a host and perhaps a port: certificates are given over TLS alone")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise wanted from error
    if parts.scheme != "https" or not host or parts.username is not None or parts.query or parts.path not in {"", "/"}:
        raise wanted
    try:
        return http.client.HTTPSConnection(host, port or 443, timeout=TIMEOUT_SECONDS, context=_context(proof, ca_file))
    except (OSError, ValueError) as error:
        raise EnrollError(f"the certificate to show, or {ca_file or 'the authorities of this machine'}, cannot be used: {error}") from error


def _context(proof: Proof, ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    if proof.chain is not None:
        context.load_cert_chain(proof.chain, proof.private_key, password="")
    return context


def _shown(answer: bytes) -> str:
    text = answer[:_SHOWN].decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
