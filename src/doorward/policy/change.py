"""One change worth trying: whose it is to make, in words, and as a supposition."""

from collections.abc import Callable, Sequence
from enum import StrEnum

import msgspec

from doorward.domain.ids import PolicyId
from doorward.policy.atoms import Path
from doorward.policy.schema import Action
from doorward.policy.shapes import Field, Fields
from doorward.policy.suppose import Supposition
from doorward.policy.telling import shown
from doorward.policy.values import seen

Make = Callable[[Supposition], Supposition | None]


class Realm(StrEnum):
    """Whose it is to change, the nearest to the caller first."""

    ARGUMENTS = "arguments"
    CONTEXT = "context"
    MEMBERSHIP = "membership"
    APPROVAL = "approval"
    POLICIES = "policies"

    @property
    def distance(self) -> int:
        """How far from the caller, from 0."""
        return list(Realm).index(self)


class Change(msgspec.Struct, frozen=True):
    """One thing otherwise: told in words, and as a supposition made of another."""

    realm: Realm
    sentence: str
    what: str
    """What it sets: two changes of one thing do not go together."""
    make: Make
    rules: frozenset[PolicyId] = frozenset()
    """The policies that it was drawn from."""


class View(msgspec.Struct, frozen=True):
    """The call as it is, and its action."""

    supposed: Supposition
    action: Action

    def seen(self, path: Path) -> tuple[object, bool]:
        """What stands at a path, and whether it is there."""
        return seen(self.supposed, path, self.action.facts)

    def field(self, names: Sequence[str]) -> Field | None:
        """What is declared of an argument."""
        found: Field | None = Field(self.action.input)
        for name in names:
            found = found.shape.fields.get(name) if found is not None and isinstance(found.shape, Fields) else None
        return found

    def is_optional(self, names: tuple[str, ...]) -> bool:
        """Whether an argument may be left out."""
        found = self.field(names)
        return found is not None and not found.required

    def instead(self, path: Path) -> str:
        """` instead of …`, as far as there is something."""
        value, is_there = self.seen(path)
        return f" instead of {shown(value)}" if is_there else ""
