"""How facts are derived in tests: to a value, or not at all."""

from doorward.policy.facts.kind import Kind, UnderivedError


def derived(kind: Kind, value: object) -> object:
    """The fact of a value, or None where it cannot be derived. Any other error fails the test."""
    try:
        return kind.one(value)
    except UnderivedError:
        return None
