"""Labels of what flows through, and the rules on it (`flow`, `labels`)."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from doorward.config.part import Name, Part, UpstreamName
from doorward.domain.flow import Confidentiality, Integrity

Pointer = Annotated[str, StringConstraints(pattern=r"^(?:/(?:[^~/]|~[01])*)+$", max_length=1024)]
"""A JSON pointer (RFC 6901) to something below the whole; a part that is `*` alone means every item or member there."""

FindingName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]+(?:/[a-z0-9_.-]+)?$", max_length=256)]
"""A guard, or one of its rules as `guard/rule`."""


class Marks(Part):
    """Integrity, confidentiality and categories of something; what is not said is not changed."""

    integrity: Integrity | None = Field(None, description="`untrusted`: it may have been written by somebody who means harm")
    confidentiality: Confidentiality | None = Field(None, description="How far it may go")
    categories: tuple[Name, ...] = Field((), description="Of what sort it is, such as `customer` or `health`")


class Sink(Part):
    """What may go somewhere, for policies that ask: `context.session.too_confidential` and `too_untrusted`."""

    most: Confidentiality | None = Field(None, description="The most confidential that it takes; default: anything")
    least: Integrity | None = Field(None, description="`trusted`: it takes nothing from a context that has read something untrusted")


class Labels(Part):
    """How far what comes from somewhere may be trusted, how far it may go, and what may go there."""

    integrity: Integrity | None = Field(None, description="Whether its results may have been written by others; default: `untrusted`")
    confidentiality: Confidentiality | None = Field(None, description="How far its results may go; default: `internal`")
    categories: tuple[Name, ...] | None = Field(None, description="Of what sort they are, such as `customer` or `health`")
    sink: Sink | None = Field(None, description="What may go there; default: anything")
    resources: dict[str, Marks] = Field(
        default_factory=dict, description="Marks of resources by URI; `*` stands for any text. Of several that fit, all hold together"
    )
    arguments: dict[Pointer, Marks] = Field(
        default_factory=dict, description="What a context is known to hold when a call has an argument there, by JSON pointer"
    )


class Endorsement(Part):
    """When the result of a call counts as trusted although its source does not: whoever is named in it is known."""

    upstreams: tuple[UpstreamName, ...] = Field((), description="Calls to these upstreams")
    tools: tuple[Name, ...] = Field((), description="Calls of these tools, as `upstream/tool` with the tool's own name")
    field: Pointer = Field(
        description="Where the result says who wrote it, such as `/from` or `/messages/*/from`: in `structuredContent`, or in its one text if "
        "that is JSON. It has to be there, and everything there has to be an e-mail address or a URL of one of the domains"
    )
    domains: tuple[str, ...] = Field(
        min_length=1, description="Domains that are trusted, such as `corp.example`; `*.corp.example` those below"
    )


class Declassification(Part):
    """Calls that can carry little, so that a confidential context may make them where it may not make others."""

    upstreams: tuple[UpstreamName, ...] = Field((), description="Calls to these upstreams")
    tools: tuple[Name, ...] = Field((), description="Calls of these tools, as `upstream/tool` with the tool's own name")
    arguments: tuple[Name, ...] = Field(min_length=1, description="The only arguments that such a call may have")
    characters: int = Field(64, ge=1, le=65536, description="The longest text in any of them")
    confidentiality: Confidentiality = Field(
        Confidentiality.PUBLIC, description="The most confidential that such a call counts as carrying"
    )
    categories: tuple[Name, ...] = Field((), description="The categories that it does not carry; default: none of them at all")


_PERSONAL = Marks(confidentiality=Confidentiality.RESTRICTED, categories=("personal",))
_CONTACT = Marks(categories=("personal",))
"""What stands below every e-mail: of people, but no more confidential for that than where it stands."""
_SECRET = Marks(confidentiality=Confidentiality.RESTRICTED, categories=("secret",))
_CONFIDENTIAL = Marks(confidentiality=Confidentiality.RESTRICTED)
_HOSTILE = Marks(integrity=Integrity.UNTRUSTED)


def _found() -> dict[str, Marks]:
    return {
        "pii": _PERSONAL,
        "pii/email": _CONTACT,
        "pii/phone": _CONTACT,
        "pii/ip_address": _CONTACT,
        "fields": _PERSONAL,
        "dictionary": _CONFIDENTIAL,
        "documents": _CONFIDENTIAL,
        "secrets": _SECRET,
        "injection": _HOSTILE,
    }


class FlowRules(Part):
    """What is made of labels."""

    presets: tuple[Literal["rule_of_two", "no_untrusted_destination"], ...] = Field((), description="Policies that ship, by name")
    team: Name = Field("platform", description="The team that is asked where a preset asks")
    exceptions: Name | None = Field(None, description="The team that may let one agent pass a preset by an exception; default: nobody may")
    hours: float = Field(8, gt=0, le=720, description="How long a context keeps its labels after its last call")
    findings: dict[FindingName, Marks] = Field(
        default_factory=_found,
        description="What a context holds once something was found in what an agent was given, by guard or `guard/rule`",
    )
    endorse: dict[Name, Endorsement] = Field(
        default_factory=dict, description="Results that count as trusted because of who wrote them, by a name that the log says"
    )
    declassify: dict[Name, Declassification] = Field(
        default_factory=dict, description="Calls that count as less confidential than what makes them, by a name that the log says"
    )
