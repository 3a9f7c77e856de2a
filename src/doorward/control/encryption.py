"""Admin API: the keys that the database is encrypted with: what hangs on each, and another one."""

import msgspec
from pydantic import Field

from doorward.audit.recorder import Recorder
from doorward.control.operators import Role
from doorward.control.orders import widen
from doorward.control.routes import Ask, ControlError, Route, Shape
from doorward.credentials.rotation import Rotation, Standing
from doorward.credentials.wrapping import WrappingError
from doorward.domain.receipts import Event


class EncryptionKeyView(Shape):
    """A key-encryption key."""

    id: str = Field(description="What kind of place it is in, and a hash of it or its version there; never the key")
    made_at: float | None = Field(description="Unix seconds; null where nobody says")
    current: bool = Field(description="What is new is sealed under it")
    held: bool = Field(description="Its place tells of it; a key service may not")
    store_keys: int = Field(description="Store keys that it wraps")
    rows: int = Field(description="Sealed rows that could not be opened without it; the key is removed once there are none")


class EncryptionKeyList(Shape):
    """Every key-encryption key that is there or needed, the newest last."""

    keys: tuple[EncryptionKeyView, ...]
    trouble: str | None = Field(description="Why rows stay under an older key, where they do; null while nothing is wrong")


class EncryptionRotated(Shape):
    """The key that everything new is sealed under; older rows follow in the background."""

    key: str
    rows: int = Field(description="How many are to follow")


class EncryptionKeys(msgspec.Struct, frozen=True):
    """The operations on keys."""

    rotation: Rotation
    recorder: Recorder

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        another = "Encrypt the database under another key; what is there follows in the background"
        return (
            Route(
                "GET",
                "/v1/encryption/keys",
                Role.VIEWER,
                "List the keys that the database is encrypted with",
                self.all,
                gives=EncryptionKeyList,
            ),
            Route("POST", "/v1/encryption/rotate", Role.ADMIN, another, self.rotate, gives=EncryptionRotated),
        )

    async def all(self, ask: Ask) -> EncryptionKeyList:
        """Every key."""
        return EncryptionKeyList(keys=tuple([_view(one) for one in await self.rotation.standing()]), trouble=self.rotation.trouble)

    async def rotate(self, ask: Ask) -> EncryptionRotated:
        """Makes another, once the log has been told; 409 where its place makes none."""
        before = await self.rotation.standing()
        current = next(one for one in before if one.is_current)
        try:
            made = await widen(
                self.recorder, Event("encryption_key_rotated", ask.operator.name, {"from": current.id}), self.rotation.rotate
            )
        except WrappingError as error:
            raise ControlError(409, "no_key", str(error)) from error
        return EncryptionRotated(key=made, rows=sum(one.rows for one in before))


def _view(one: Standing) -> EncryptionKeyView:
    return EncryptionKeyView(
        id=one.id, made_at=one.made_at, current=one.is_current, held=one.is_held, store_keys=one.store_keys, rows=one.rows
    )
