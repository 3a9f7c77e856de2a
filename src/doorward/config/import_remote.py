"""A server of a client's file that is reached over HTTP, as an upstream."""

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit, urlunsplit

from doorward.config.addresses import is_special, split_url
from doorward.config.emit import Value
from doorward.config.inline import by_form, by_look, by_name
from doorward.config.ledger import PLACEHOLDER, Ledger, variable
from doorward.config.problems import listed

LEFT_OUT = "SECRET-LEFT-OUT"
"""Stands where a secret was that Doorward has no place for."""

SCHEME = re.compile(r"((?:Bearer|Basic|Token|ApiKey)[ ]+)(?=.)", re.IGNORECASE)


def remote(name: str, url: str, headers: Mapping[str, str], ledger: Ledger) -> dict[str, Value] | None:
    """The upstream at a URL; None (and a note) where the URL is none."""
    credential = _credential(name, headers, ledger)
    address = _address(name, url, ledger)
    if address is None:
        return None
    parts = urlsplit(address)
    found: dict[str, Value] = {"url": address}
    if parts.scheme == "http":
        found["plain_http"] = True
    if is_special(parts.hostname or ""):
        found["private"] = True
    if credential is not None:
        found["credential"] = credential
    return found


def _address(name: str, url: str, ledger: Ledger) -> str | None:
    """The URL without any secret in it; None (and a note) where it is none."""
    try:
        parts = urlsplit(url)._replace(fragment="")
    except ValueError:
        parts = urlsplit("")
    clean = _clean(parts, ledger)
    if isinstance(split_url(clean), str):
        ledger.note(name, "its address is no http or https URL, left out")
        return None
    if clean != urlunsplit(parts):
        ledger.note(name, "a secret stood in the url and is left out; Doorward sends secrets in a header (credential)")
    if "${" in clean:
        ledger.note(name, "the url holds a variable, which is not read there; write the address itself")
    return clean


def _clean(parts: SplitResult, ledger: Ledger) -> str:
    place = parts.netloc.rpartition("@")[2]
    path = "/".join(LEFT_OUT if by_form(step) or by_look(step) or ledger.holds_secret(step) else step for step in parts.path.split("/"))
    pairs = parts.query.split("&") if parts.query else []
    query = "&".join(pair for pair in pairs if not _is_secret(pair, ledger))
    return urlunsplit((parts.scheme, place, path, query, ""))


def _is_secret(pair: str, ledger: Ledger) -> bool:
    key, _, value = pair.partition("=")
    return by_name(key, value) or by_look(value) or ledger.holds_secret(value)


def _credential(name: str, headers: Mapping[str, str], ledger: Ledger) -> dict[str, Value] | None:
    secret = [header for header, text in headers.items() if PLACEHOLDER.search(text) or by_name(header, text) or by_look(text)]
    secret.sort(key=lambda header: header.lower() != "authorization")
    if others := [header for header in headers if header not in secret[:1]]:
        ledger.note(name, f"the header {listed(others, 'and')} is not carried over; Doorward sends one credential header")
    if not secret:
        return None
    return {"header": secret[0], "value": _text(name, secret[0], headers[secret[0]], ledger)}


def _text(name: str, header: str, text: str, ledger: Ledger) -> str:
    if (referring := ledger.referring(text, name)) is not None:
        return referring
    scheme = found[1] if (found := SCHEME.match(text)) else ""
    suffix = "TOKEN" if header.lower() == "authorization" else variable(re.sub(r"^[xX]-", "", header))
    own = variable(name)
    wanted = suffix if suffix.startswith(f"{own}_") else f"{own}_{suffix}"
    return f"{scheme}{ledger.reference(wanted, text.removeprefix(scheme), name)}"
