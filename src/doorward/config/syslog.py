"""A syslog server (RFC 5424), wherever the document names one."""

from typing import Literal

from pydantic import Field

from doorward.config.part import Part


class Syslog(Part):
    """A syslog server that messages are sent to (RFC 5424 over UDP or TCP)."""

    host: str = Field(description="Its name or address")
    port: int = Field(514, ge=1, le=65535, description="Its port")
    protocol: Literal["udp", "tcp"] = Field("udp", description="How it is spoken to")
