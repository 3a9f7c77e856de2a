"""The admin API as a table: each row says who may, what goes in and what comes out; dispatcher and OpenAPI document read it."""

from collections.abc import Awaitable, Callable, Collection, Mapping

import msgspec
from pydantic import BaseModel, ConfigDict

from doorward.control.operators import Operator, Role

BODY_BYTES = 1_048_576


class Shape(BaseModel):
    """A frozen body of the admin API that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Nothing(Shape):
    """No fields."""


class Done(Shape):
    """It holds from now on; `warnings` say what did not go as it should, such as that it would not survive a restart."""

    warnings: tuple[str, ...] = ()


class Problem(Shape):
    """What went wrong: a stable reason, a sentence for people, and a line for each thing that is wrong with what was given."""

    reason: str
    message: str
    problems: tuple[str, ...] = ()


async def _waits() -> bool:
    return False


class Ask(msgspec.Struct, frozen=True):
    """One request of an operator, read and checked."""

    operator: Operator
    path: Mapping[str, str]
    query: BaseModel
    body: BaseModel
    raw: bytes
    """The body as it came, for what must be read more strictly than a model does."""
    gone: Callable[[], Awaitable[bool]] = _waits
    """Whether whoever asked has hung up: for what takes long."""


class ControlError(Exception):
    """A request that cannot be carried out: an HTTP status, a stable reason and a sentence."""

    def __init__(self, status: int, reason: str, message: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.status, self.reason, self.message, self.problems = status, reason, message, problems


Within = Callable[[Ask], Collection[str]]
"""The teams that what is asked for belongs to; none where it is nobody's. Raises `ControlError` for what is not there."""


class Route(msgspec.Struct, frozen=True):
    """One operation of the admin API."""

    method: str
    path: str
    role: Role
    summary: str
    carry_out: Callable[[Ask], Awaitable[BaseModel]]
    takes: type[BaseModel] = Nothing
    gives: type[BaseModel] = Nothing
    query: type[BaseModel] = Nothing
    body_bytes: int = BODY_BYTES
    """How large a body may be."""
    within: Within | None = None
    """Set where approvers or owners may do this for their own teams alone; without it the role is enough."""
