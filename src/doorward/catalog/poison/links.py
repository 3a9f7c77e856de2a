"""Addresses in definitions: in texts, in icons, and in what an interface asks of its host."""

import binascii
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

import re2

from doorward.catalog.poison.found import Found, Rule, quoted
from doorward.catalog.poison.grammar import Said
from doorward.catalog.poison.places import pointer
from doorward.domain.findings import Severity

IMAGES: Final = frozenset(
    {"image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp", "image/x-icon", "image/vnd.microsoft.icon", "image/avif"}
)
ICON_CHARACTERS: Final = 200_000
_SCRIPT = re2.compile(
    r"(?i)<\s*script|\son[a-z]+\s*=|javascript:|<\s*foreignobject|<\s*(?:iframe|embed|object)|<!entity|xlink:href\s*=\s*[\"']\s*(?:https?:|data:)"
)
_ACTIVE = re2.compile(
    r"(?i)\b(?:javascript|vbscript|livescript)\s*:(?:[^\s]|\s*[\w.]+\s*[(=])|\bdata:\s*(?:text/html|text/javascript|"
    r"application/(?:javascript|xhtml\+xml|x-sh)|image/svg\+xml)[^\s]{8,}"
)
_URL = re2.compile(r"(?i)\b(?:https?|ftp|wss?|file)://[^\s\"'<>`)\]}]{1,900}")
_MARKDOWN_IMAGE = re2.compile(r"!\[[^\]]{0,200}\]\(\s*(?:https?:)?//[^)]*[?&][^)]*[={]")
_RIGHTS: Final = frozenset({"camera", "microphone", "geolocation", "clipboardwrite", "clipboardread", "clipboard-read", "clipboard-write"})
_MOST: Final = 32


def links(text: str) -> Iterator[Said]:
    """Addresses in a text that run script, hide their host, or belong to no name."""
    if ":" not in text:
        return
    found = _ACTIVE.search(text)
    if found is not None:
        yield Said(Rule.UNSAFE_LINK, Severity.HIGH, found.group())
    image = _MARKDOWN_IMAGE.search(text)
    if image is not None:
        yield Said(Rule.UNSAFE_LINK, Severity.MEDIUM, image.group())
    for number, place in enumerate(_URL.finditer(text)):
        if number < _MOST and (severity := _weight(place.group())) is not None:
            yield Said(Rule.UNSAFE_LINK, severity, place.group())


def _weight(url: str) -> Severity | None:
    """How odd an address is; None for an ordinary one."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme.lower() == "file":
        return Severity.LOW
    if "@" in parts.netloc and parts.scheme.lower() in {"http", "https"}:
        return Severity.LOW
    if any(label.startswith("xn--") for label in host.split(".")):
        return Severity.MEDIUM
    return Severity.MEDIUM if _is_public_number(host) else None


def _is_public_number(host: str) -> bool:
    if host.isdigit() or host.lower().startswith("0x"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_private or address.is_unspecified)


def icons(body: Mapping[str, object]) -> Iterator[Found]:
    """Icons that may hold script or come over an open line."""
    held = body.get("icons")
    for index, icon in enumerate(held if isinstance(held, list) else ()):
        source = icon.get("src") if isinstance(icon, Mapping) else icon
        fault = _icon_fault(source) if isinstance(source, str) else None
        if fault is not None:
            yield Found(Rule.UNSAFE_ICON, fault[0], pointer(("icons", str(index), "src")), f"{fault[1]}: {quoted(str(source)[:80])}")


def _icon_fault(source: str) -> tuple[Severity, str] | None:
    scheme, _, rest = source.strip().partition(":")
    match scheme.lower():
        case "https":
            return None
        case "http":
            return Severity.MEDIUM, "an icon over an open line"
        case "data":
            return _data_fault(rest)
        case _:
            return Severity.HIGH, "an icon that is neither at an https address nor an image"


def _data_fault(rest: str) -> tuple[Severity, str] | None:
    head, _, content = rest.partition(",")
    kind = head.partition(";")[0].strip().lower()
    if kind in IMAGES:
        return None
    if kind != "image/svg+xml":
        return Severity.HIGH, "an icon that is no image"
    return (Severity.HIGH, "an icon with script in it") if _SCRIPT.search(_content(head, content)) is not None else None


def _content(head: str, content: str) -> str:
    raw = unquote_to_bytes(content[:ICON_CHARACTERS])
    if head.strip().lower().endswith("base64"):
        return _from_base64(b"".join(raw.split()))
    return raw.decode("utf-8", "replace")


def _from_base64(content: bytes) -> str:
    try:
        return binascii.a2b_base64(content + b"=" * (-len(content) % 4), strict_mode=True).decode("utf-8", "replace")
    except binascii.Error:
        # What cannot be read may be read by something else: an icon like that is not let pass as a picture.
        return "<script"


def interface(body: Mapping[str, object]) -> Iterator[Found]:
    """What a tool's or resource's interface (`_meta.ui`) asks of its host."""
    meta = body.get("_meta")
    ui = meta.get("ui") if isinstance(meta, Mapping) else None
    if not isinstance(ui, Mapping):
        return
    address = ui.get("resourceUri")
    if isinstance(address, str) and not address.startswith("ui://"):
        yield Found(Rule.UI_RIGHTS, Severity.MEDIUM, "/_meta/ui/resourceUri", f"an interface that is no ui:// resource: {quoted(address)}")
    csp = ui.get("csp")
    for field, hosts in csp.items() if isinstance(csp, Mapping) else ():
        place = pointer(("_meta", "ui", "csp", str(field)))
        wide = filter(_is_wide, hosts if isinstance(hosts, list) else (hosts,))
        yield from (Found(Rule.UI_RIGHTS, Severity.MEDIUM, place, f"an interface that may reach {quoted(str(host))}") for host in wide)
    wanted = sorted(_RIGHTS.intersection(_names(ui.get("permissions"))))
    if wanted:
        yield Found(Rule.UI_RIGHTS, Severity.LOW, "/_meta/ui/permissions", f"an interface that asks for {', '.join(wanted)}")


def _is_wide(host: object) -> bool:
    """Whether a source of a content security policy is any host, or no host at all."""
    if not isinstance(host, str):
        return False
    return "*" in host.removeprefix("https://*.").removeprefix("*.") or host.startswith(("http:", "data:", "blob:"))


def _names(asked: object) -> Iterator[str]:
    yield from (str(name).lower() for name in (asked if isinstance(asked, Mapping | list) else ()))
