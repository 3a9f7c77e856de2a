"""Static secrets: what a plan's references lead to right now, fit to be sent."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, assert_never

from doorward.credentials.plan import Environment, Nothing, Plan, StaticHeader, pointers
from doorward.domain.errors import DoorwardError
from doorward.domain.secret import Secret


class UnfitError(DoorwardError):
    """A secret that cannot be sent as it is; the message never holds it."""


class Resolving(Protocol):
    """Reads references, as `config.references.Resolver` does."""

    def resolve(self, text: str) -> Secret:
        """The text with every reference replaced; raises a `DoorwardError` whose message names the reference, never a value."""
        ...


@dataclass(frozen=True, slots=True)
class Material:
    """What a plan is worth right now."""

    headers: tuple[tuple[str, Secret], ...]
    environment: tuple[tuple[str, Secret], ...]
    secrets: tuple[Secret, ...]
    """Every text that must not be seen anywhere else."""


def load(plan: Plan, resolver: Resolving) -> Material:
    """Resolves a plan; raises `DoorwardError`."""
    parts = tuple(resolver.resolve(str(pointer)) for pointer in pointers(plan))
    match plan:
        case Nothing():
            return Material((), (), ())
        case StaticHeader(_, header, text):
            value = _fit(resolver.resolve(text), _is_field_value, f"printable ASCII on one line for the header {header}")
            return Material(((header, value),), (), (*parts, value))
        case Environment(_, variables):
            values = tuple(
                (name, _fit(resolver.resolve(text), _is_c_text, f"no NUL character for the variable {name}")) for name, text in variables
            )
            return Material((), values, parts)
        case _:
            assert_never(plan)


def _fit(secret: Secret, is_fit: Callable[[str], bool], expected: str) -> Secret:
    if not is_fit(secret.reveal()):
        raise UnfitError(f"expected {expected}, the secret holds something else")
    return secret


def _is_c_text(text: str) -> bool:
    return "\0" not in text


def _is_field_value(text: str) -> bool:
    """RFC 9110 §5.5, without its obsolete bytes: nothing that could end the header and begin another."""
    return text.isascii() and text.isprintable() and text == text.strip() != ""
