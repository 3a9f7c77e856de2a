"""The identity providers of the configuration in force that people sign in with."""

from collections.abc import Callable, Mapping

from doorward.config.identity import Issuer
from doorward.identity.sign_in import SignIn


class SignIns:
    """One `SignIn` for each issuer that declares it, kept while its declaration stays the same."""

    __slots__ = ("_held", "_make")

    def __init__(self, make: Callable[[str, Issuer], SignIn]) -> None:
        """`make` is given an issuer's name and declaration; it may raise, and then nothing changes."""
        self._make = make
        self._held: dict[str, tuple[Issuer, SignIn]] = {}

    def adopt(self, issuers: Mapping[str, Issuer]) -> None:
        """Goes on with these; raises what `make` raises."""
        held: dict[str, tuple[Issuer, SignIn]] = {}
        for name, issuer in issuers.items():
            if issuer.sign_in is not None:
                before = self._held.get(name)
                held[name] = before if before is not None and before[0] == issuer else (issuer, self._make(name, issuer))
        self._held = held

    def of(self, name: str) -> SignIn | None:
        """The one of a name; None where the configuration has none."""
        held = self._held.get(name)
        return None if held is None else held[1]
