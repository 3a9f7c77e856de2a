"""Budgets: how much may be used in all until a window ends, as an operator declares it."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from doorward.config.facts import Pointer
from doorward.config.limits import LimitName
from doorward.config.part import Name, Part
from doorward.config.selection import Counted, Selection

BudgetName = LimitName
"""As of limits: callers read it."""

Unit = Literal["calls", "bytes", "tokens", "amount"]
"""What a budget counts."""

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9.-]{0,15}$")]
"""What an amount is in, such as `EUR`."""


class Sliding(Part):
    """A window that moves with the time instead of with the calendar."""

    seconds: int = Field(
        ge=60,
        le=366 * 86400,
        description="Within any span of this length no more is used than the limit; what was used counts up to a sixtieth longer",
    )


class Budget(Part):
    """How much may be used in all until a window ends. A call is made only if every budget that is about it holds what it needs."""

    of: Selection = Field(Selection(), description="Which calls it is about; default: all. Lists are in no budget")
    per: tuple[Counted, ...] = Field(("agent",), description="What has a budget of its own; empty: all share one")
    unit: Unit = Field("calls", description="`bytes`, `tokens`: of requests and results; `amount`: a number among the arguments")
    limit: Decimal = Field(gt=0, le=10**12, decimal_places=6, description="The most that may be used until the window ends; exact")
    window: Literal["day", "week", "month"] | Sliding = Field(
        "day", description="A day, a week from Monday on or a month of the calendar in `timezone`; or `{seconds: N}`, which slides"
    )
    timezone: str = Field("UTC", description="IANA name, such as `Europe/Berlin`: the zone of a calendar's window")
    amount: Pointer | None = Field(
        None,
        description="Where the amount stands: a JSON pointer such as `/amount` to a number, or to a decimal text; needed by `unit: amount`",
    )
    places: int = Field(2, ge=0, le=6, description="The most decimal places of an amount; with more the call is refused")
    currency: Currency | None = Field(
        None, description="What amounts are in, such as `EUR`; for people, unless `currency_argument` is given"
    )
    currency_argument: Pointer | None = Field(
        None, description="Where the call names its currency: with another one than `currency`, or none, the call is refused"
    )
    reserve: int | None = Field(
        None,
        ge=1,
        le=2**40,
        description="Bytes or tokens that a call sets aside until its real size is known; default: the most that its result may have",
    )
    factor: Decimal = Field(
        Decimal(1), gt=0, le=1000, decimal_places=6, description="Tokens: four bytes of text are estimated as so many, rounded up"
    )
    refund: Literal["never", "on_error"] = Field(
        "never", description="`on_error`: a call that the upstream answers with an error gives back what it took"
    )
    team: Name = Field("platform", description="The team that it belongs to: its approvers may raise it for a while")
