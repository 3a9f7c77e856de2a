"""Links and images in results: where they may lead (`inspection.links`)."""

from typing import Annotated

from pydantic import Field, StringConstraints

from doorward.config.part import Part, UpstreamName

_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
HostPattern = Annotated[str, StringConstraints(pattern=rf"^(?:\*\.)?{_LABEL}(?:\.{_LABEL})*$", max_length=253)]
"""A host in ASCII, with `*.` before it for all below; an international name as it is encoded (`xn--…`)."""


class Links(Part):
    """Hosts that links and images in results may name without being taken apart."""

    hosts: tuple[HostPattern, ...] = Field((), description="Hosts such as `docs.example.com`; `*.example.com` for all below")
    upstreams: dict[UpstreamName, tuple[HostPattern, ...]] = Field(
        default_factory=dict, description="More hosts, in the results of one upstream: its own is not among them unless it is named"
    )
