"""What a guard can say of itself, for whoever lists guards or writes rules about what they find."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from doorward.domain.findings import Severity


@runtime_checkable
class Described(Protocol):
    """A guard that knows its name and its rules; one that does not is asked all the same. Class attributes do."""

    @property
    def name(self) -> str:
        """What its findings name as their guard."""
        ...

    @property
    def rules(self) -> Mapping[str, Severity]:
        """Every rule that it may report, with the gravest severity that it reports it with."""
        ...
