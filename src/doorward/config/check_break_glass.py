"""Whether those who may break the glass can come in at all by the names that they are called by (`policies.break_glass`)."""

from collections.abc import Iterator

from doorward.config.ground import Found, error, note
from doorward.config.model import Document
from doorward.config.problems import quoted

_ROOT = "root"
"""Always an operator; the gateway's own user is one too, and nobody knows here who that will be."""


def break_glass(document: Document) -> Iterator[Found]:
    """Findings about each name: it is compared letter by letter, so a slip would be found only when it is needed."""
    rules = document.policies.break_glass
    if rules is None:
        return
    for index, name in enumerate(rules.operators):
        at = ("policies", "break_glass", "operators", index)
        if name in rules.operators[:index]:
            yield note(f"{quoted(name)} is named twice", *at)
        elif name != name.strip():
            yield error(f"{quoted(name)} begins or ends with a space, and is nobody's name", *at)
        elif ":" in name:
            yield from _signed_in(name, document, at)
        elif name != _ROOT and name not in document.control.operators:
            yield note(f"{quoted(name)} has no role in control.operators, so it comes in only if it is the gateway's own user", *at)


def _signed_in(name: str, document: Document, at: tuple[str | int, ...]) -> Iterator[Found]:
    """Findings about a person of an issuer: the one that operators sign in with."""
    door = document.control.listen
    issuer, _, person = name.partition(":")
    if door is None:
        yield note(f"{quoted(name)} could only sign in over the network, and there is no control.listen", *at)
    elif issuer != door.sign_in:
        yield note(f"operators sign in with {quoted(door.sign_in)} (control.listen.sign_in), not with {quoted(issuer)}", *at)
    elif not person:
        yield error(f"expected issuer and subject, such as {door.sign_in}:ada, got {quoted(name)}", *at)
