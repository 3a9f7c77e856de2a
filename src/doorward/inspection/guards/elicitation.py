"""The guard of questions to people: no form asks for what opens an account (MCP 2026-07-28 and 2025-11-25, client/elicitation).

A server must not ask for credentials in a form: whatever is filled in goes through client and model. It leads to a page of its own.
"""

from collections.abc import Iterator, Mapping, Sequence

import re2

from doorward.domain.findings import Finding, Part, Severity
from doorward.inspection.gate import Gate
from doorward.inspection.normal.lookalikes import folded
from doorward.inspection.view import Carrier, View
from doorward.inspection.walk import escape

NAME = "elicitation"

FIELD = "secret_field"
"""A form has a field for a credential, or for what pays or proves who somebody is."""
ASKED = "secret_asked"
"""A form's text asks for one; no field of it says so."""

RULES: Mapping[str, Severity] = {FIELD: Severity.HIGH, ASKED: Severity.MEDIUM}

_WORDS = re2.compile(r"[A-Za-z0-9]+")
_CAMEL = re2.compile(r"([a-z0-9])([A-Z])")
_SECRET = re2.compile(
    r"\b(?:"
    r"pass ?(?:word|phrase|code)s?|passwd|pwd|passkey"
    r"|(?:api|access|secret|private|signing|encryption|ssh|account|service|admin|master|wallet|aws|openai|github) ?keys?"
    r"|(?:access|auth|authentication|authorization|bearer|refresh|session|security|api|oauth|personal access|id|jwt) ?tokens?"
    r"|client ?secret|shared secret|(?:your|account|app) secret|credentials?"
    r"|(?:seed|recovery|backup|mnemonic) ?(?:phrase|words?|codes?)"
    r"|(?:verification|one ?time|2fa|mfa|authenticator|sms|login|security|auth) ?(?:code|pin)|otp|totp"
    r"|(?:card|account) pin|pin (?:code|number)|your pin"
    r"|(?:credit|debit|payment|bank)? ?card ?(?:number|no)|cvv2?|cvc2?"
    r"|ssn|social ?security(?: number)?"
    r")\b"
)
_ALONE = frozenset({"token", "secret", "pin", "auth", "apikey", "accesstoken", "cardnumber", "pan", "cvv", "cvc", "otp", "pwd"})
"""Names of fields that say it all by themselves, and as words of a text say nothing."""


class _Named:
    """Asks for the name of what a form asks for."""

    __slots__ = ()

    def may(self, text: bytes) -> Sequence[int]:
        return (0,) if b'"requestedSchema"' in text else ()


FORMS = Gate(_Named, ('"requestedSchema"',))
"""Open where a form is shown to people."""


class Elicitation:
    """Reports forms that ask for secrets, in answers and in what is asked on the way."""

    __slots__ = ()
    name = NAME
    rules = RULES

    def gates(self, carrier: Carrier) -> Sequence[Gate]:
        """None of requests."""
        return () if carrier is Carrier.REQUEST else (FORMS,)

    def look(self, view: View) -> tuple[Finding, ...]:
        """A finding for each field that asks for one; for the text of a form where no field does."""
        if view.carrier is Carrier.REQUEST or not view.may(FORMS):
            return ()
        return tuple(finding for at, form in _forms(view.body) for finding in _found(at, form))


def _forms(body: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Every form that a message shows to people, with the pointer of its params."""
    if "requestedSchema" in body:
        yield "", body
    asked = body.get("inputRequests")
    for key, request in asked.items() if isinstance(asked, Mapping) else ():
        params = request.get("params") if isinstance(request, Mapping) else None
        if isinstance(params, Mapping) and "requestedSchema" in params:
            yield f"/inputRequests{escape(key)}/params", params


def _found(at: str, form: Mapping[str, object]) -> list[Finding]:
    schema = form.get("requestedSchema")
    fields = schema.get("properties") if isinstance(schema, Mapping) else None
    named = fields.items() if isinstance(fields, Mapping) else ()
    found = [_finding(f"{at}/requestedSchema/properties{escape(name)}", FIELD) for name, field in named if _is_secret(name, field)]
    message = form.get("message")
    if not found and isinstance(message, str) and _SECRET.search(_plain(message)) is not None:
        return [_finding(f"{at}/message", ASKED)]
    return found


def _finding(pointer: str, rule: str) -> Finding:
    return Finding(NAME, rule, RULES[rule], pointer, part=Part.VALUE)


def _is_secret(name: str, field: object) -> bool:
    said = [field[key] for key in ("title", "description") if isinstance(field.get(key), str)] if isinstance(field, Mapping) else []
    if "".join(_WORDS.findall(folded(name))).lower() in _ALONE:
        return True
    return any(_SECRET.search(_plain(text)) is not None for text in (name, *said))


def _plain(text: str) -> str:
    """The words of a text or of a name in any case, lower, a blank between them; letters that look like Latin ones are these."""
    return " ".join(_WORDS.findall(_CAMEL.sub(r"\1 \2", folded(text[:4096])))).lower()
