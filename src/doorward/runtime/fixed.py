"""What of a document takes a restart: a reload that changes it is refused rather than half taken."""

from doorward.config.model import Document


def fixed(old: Document, new: Document) -> tuple[str, ...]:
    """The fields that differ and cannot be changed while the gateway runs."""
    names = [name for name in ("listen", "state", "encryption", "telemetry") if getattr(old, name) != getattr(new, name)]
    # Our own authority is among those that the listener believes, and the listener stays.
    names += ["identity.ca"] if _domain(old) != _domain(new) else []
    names += ["control.listen"] if new.control.listen is not None and _door(old) != _door(new) else []
    names += ["audit.origin"] if old.audit.origin != new.audit.origin else []
    names += [f"control.{name}" for name in ("socket", "group") if getattr(old.control, name) != getattr(new.control, name)]
    return tuple(names)


def _domain(document: Document) -> str | None:
    return None if document.identity.ca is None else document.identity.ca.trust_domain


def _door(document: Document) -> object:
    """What of the network door is fixed; whom it lets in is not, and without a word of it in the document that is nobody."""
    listen = document.control.listen
    return None if listen is None else (listen.host, listen.port, listen.public_url, listen.tls)
