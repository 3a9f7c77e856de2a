"""Links and images in results: where they may lead (`inspection.links`)."""

from pydantic import Field

from doorward.config.part import Name, Part


class Links(Part):
    """Hosts that links and images in results may name without being taken apart."""

    hosts: tuple[Name, ...] = Field((), description="Hosts such as `docs.example.com`; `*.example.com` for all below")
