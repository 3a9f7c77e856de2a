"""How people connect accounts of their own at upstreams (`kind: user`)."""

from pydantic import Field

from doorward.config.identity import IssuerName
from doorward.config.part import Part


class Connections(Part):
    """Where people sign in to connect accounts."""

    sign_in: IssuerName | None = Field(
        None, description="The issuer that people sign in with (its `sign_in`); default: that of `identity.authority`, which has no other"
    )
    client_document: bool = Field(
        True,
        description="Services may fetch a document about this gateway from its https URL, so that it need not be registered with them; "
        "false where they cannot reach it",
    )
