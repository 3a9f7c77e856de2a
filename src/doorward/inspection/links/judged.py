"""What is to be said of one destination: a rule and how bad it is, or nothing."""

from doorward.domain.findings import Severity
from doorward.inspection.links.hosts import Allowed
from doorward.inspection.links.payload import carries_text, passed_on
from doorward.inspection.links.places import Manner, Place
from doorward.inspection.links.target import Target

IMAGE = "external_image"
CONTENT = "external_content"
LINK = "external_link"
ACTIVE = "active_scheme"
LOCAL = "local_file"
PAYLOAD = "url_payload"
DISGUISED = "disguised_host"
REDIRECTS = "redirecting_url"
HTML = "html_resource"

Verdict = tuple[str, Severity] | None

_SCRIPTS = frozenset({"javascript", "vbscript", "livescript", "jscript"})
_MEDIA = ("image/", "audio/", "video/", "font/", "application/font", "application/x-font")
_RUNS = ("html", "svg", "xml", "script")
"""What is in the type of data that a client runs when it is opened."""


def loaded(place: Place, allowed: Allowed) -> Verdict:
    """Of what a client asks for by itself."""
    target = place.target
    if target.scheme in _SCRIPTS or (target.scheme == "data" and not target.rest.lower().lstrip().startswith(_MEDIA)):
        return ACTIVE, Severity.HIGH
    if target.scheme == "file":
        return LOCAL, Severity.HIGH if target.host else Severity.MEDIUM
    if not target.host:
        return (DISGUISED, Severity.MEDIUM) if target.is_disguised else None
    if allowed.has(target.host):
        return _on_allowed(target, allowed, Severity.MEDIUM)
    if carries_text(target.rest):
        return PAYLOAD, Severity.HIGH
    return (IMAGE if place.manner is Manner.IMAGE else CONTENT), Severity.MEDIUM


def followed(target: Target, allowed: Allowed) -> Verdict:
    """Of what somebody would have to follow."""
    if target.scheme in _SCRIPTS or (target.scheme == "data" and _is_run(target.rest)):
        return ACTIVE, Severity.HIGH
    if target.scheme == "file":
        return LOCAL, Severity.MEDIUM if target.host not in ("", "localhost") else Severity.LOW
    if not target.host:
        return None
    if allowed.has(target.host):
        return _on_allowed(target, allowed, Severity.LOW)
    if carries_text(target.rest):
        return PAYLOAD, Severity.HIGH
    return (DISGUISED, Severity.MEDIUM) if target.is_disguised else (LINK, Severity.LOW)


def _on_allowed(target: Target, allowed: Allowed, severity: Severity) -> Verdict:
    """Of a host that may be led to: it may pass on to one that may not."""
    if target.is_disguised:
        return DISGUISED, Severity.MEDIUM
    is_passed_on = "//" in target.rest or "%" in target.rest
    if is_passed_on and not all(allowed.has(host) for host in passed_on(target.rest)):
        return REDIRECTS, severity
    return None


def _is_run(rest: str) -> bool:
    media = rest.lower().partition(",")[0]
    return any(word in media for word in _RUNS)
