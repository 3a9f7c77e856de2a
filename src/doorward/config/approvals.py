"""How people are asked for their yes: for how long, and through which channels they hear of a question."""

from pydantic import Field

from doorward.config.part import Name, Part, Reference


class Webhook(Part):
    """A service that is told of questions, and may pass answers back, both signed (Standard Webhooks 1.0)."""

    url: str = Field(description="Where questions are sent (POST)")
    secret: Reference = Field(description="Signs both ways; `whsec_` and 24 to 64 bytes in base64, by reference")
    private: bool = Field(False, description="The address may be loopback, link-local or otherwise special-use")
    plain_http: bool = Field(False, description="http instead of https is meant")
    timeout_seconds: float = Field(5, gt=0, le=60, description="After that the next channel is tried")
    arguments: bool = Field(False, description="The service is told the call's arguments too; without it, only where to read them")
    approvers: dict[Name, tuple[Name, ...]] = Field(
        default_factory=dict,
        description="Who may answer through it, as `issuer:subject`, and the teams they speak for; with none it only tells",
    )


class Approvals(Part):
    """Calls that wait for a person's yes (`@approval` on a `forbid`)."""

    answer_minutes: float = Field(1440, gt=0, le=43200, description="A question that nobody has answered by then counts as no")
    use_minutes: float = Field(60, gt=0, le=1440, description="How long the call may be made once it is approved")
    wait_seconds: float = Field(
        25, ge=0, le=300, description="How long a caller that cannot be sent to a page is kept waiting for an answer; 0 answers at once"
    )
    pending_per_principal: int = Field(20, ge=1, le=1000, description="Open questions of one principal")
    findings: Name | None = Field(
        None,
        description="The team that is asked about a call in which a guard has found something that may be meant, such as a likely secret; "
        "without one such a call is refused, and such a result withheld",
    )
    webhooks: dict[Name, Webhook] = Field(
        default_factory=dict,
        description="Channels in the order in which they are tried: one that fails falls to the next. "
        "The command line, the admin API and the page of the control listener are always there",
    )
