"""Who hears of what should be looked at at once, and how often."""

from pydantic import Field

from doorward.config.part import Name, Part, Reference
from doorward.config.syslog import Syslog
from doorward.domain.alerts import AlertKind


class AlertWebhook(Part):
    """A service that is sent alerts, signed (Standard Webhooks 1.0)."""

    url: str = Field(description="Where alerts are sent (POST)")
    secret: Reference = Field(description="Signs them; `whsec_` and 24 to 64 bytes in base64, by reference")
    private: bool = Field(False, description="The address may be loopback, link-local or otherwise special-use")
    plain_http: bool = Field(False, description="http instead of https is meant")
    timeout_seconds: float = Field(5, gt=0, le=60, description="After that it is tried again later")


class Alerts(Part):
    """What goes out to whoever watches over the gateway; the journal has every alert."""

    webhooks: dict[Name, AlertWebhook] = Field(
        default_factory=dict, max_length=16, description="Services, by name; each is sent every alert"
    )
    syslog: tuple[Syslog, ...] = Field((), max_length=16, description="Syslog servers; each is sent every alert")
    kinds: tuple[AlertKind, ...] = Field(tuple(AlertKind), description="The kinds that are sent")
    interval_seconds: float = Field(
        60,
        ge=1,
        le=86400,
        description="The first alert of a kind about one thing is sent at once; those that follow, as one so often, with a count",
    )
    per_hour: int = Field(
        120, ge=2, le=100_000, description="Messages in an hour at most; what callers can cause takes at most half of them"
    )
    failed_authentications: int = Field(
        30, ge=1, le=1_000_000, description="Failed ones from one network (/24, /48) in a minute that count as a burst"
    )
    refusals: int = Field(
        20, ge=1, le=1_000_000, description="Calls of one agent in a minute that are refused as forbidden or unsafe, which count as misuse"
    )
