"""Admin API: the secrets that the configuration refers to, by their references and never by value, and those that nothing refers to."""

from collections.abc import Callable

import msgspec
from pydantic import Field

from doorward.control.operators import Role
from doorward.control.routes import Ask, Route, Shape
from doorward.credentials.sources.inventory import Inventory, Listed


class SecretView(Shape):
    """One reference."""

    reference: str = Field(description="As it stands in the configuration, such as `${openbao:secret/ci#token}`")
    places: tuple[str, ...] = Field(description="Where it stands")
    owners: tuple[str, ...] = Field(description="The teams of the upstreams that it is for; none where the gateway itself needs it")
    made_at: float | None = Field(description="Unix seconds; when it was made or last changed, or borrowed. null: nobody says")
    used_at: float | None = Field(description="Unix seconds; when it was last leased. null: not since the start, or by the gateway itself")
    borrowed: bool = Field(description="It was made for this gateway, and is given back")
    old: bool = Field(description="Older than `secrets.rotate_after_days`")
    resolves: bool | None = Field(description="Whether it could be read when that was last tried; null: not tried yet")
    why: str = Field(description="Why it could not be read")


class SecretList(Shape):
    """Every reference, and what is kept that nothing refers to."""

    secrets: tuple[SecretView, ...]
    unused: tuple[str, ...] = Field(description="Files of `secrets.directories`, and secrets below `secrets.openbao.listed`")
    troubles: tuple[str, ...] = Field(description="What could not be looked at for unused ones")


class SecretRows(msgspec.Struct, frozen=True):
    """The operations on secrets."""

    inventory: Inventory
    now: Callable[[], float]

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        what = "List the secrets that the configuration refers to, without their values, and unused ones"
        return (Route("GET", "/v1/secrets", Role.VIEWER, what, self.all, gives=SecretList),)

    async def all(self, ask: Ask) -> SecretList:
        """Every reference in the order of the document."""
        old = frozenset(self.inventory.old(self.now()))
        listed = self.inventory.listed()
        unused = await self.inventory.unused()
        return SecretList(secrets=tuple(_view(one, old) for one in listed), unused=unused.names, troubles=unused.troubles)


def _view(listed: Listed, old: frozenset[str]) -> SecretView:
    return SecretView(
        reference=listed.reference,
        places=listed.places,
        owners=listed.owners,
        made_at=listed.made_at,
        used_at=listed.used_at,
        borrowed=listed.is_borrowed,
        old=listed.reference in old,
        resolves=listed.resolves,
        why=listed.why,
    )
