"""With which credential an upstream is met: one way each, told apart by `kind`."""

from collections.abc import Mapping
from typing import Annotated, get_args

from pydantic import BeforeValidator, Field

from doorward.config import credentials_oauth as oauth
from doorward.config.credentials_plain import AssertionCredential as AssertionCredential
from doorward.config.credentials_plain import BasicCredential as BasicCredential
from doorward.config.credentials_plain import HeaderCredential as HeaderCredential
from doorward.config.credentials_plain import NoCredential as NoCredential
from doorward.config.credentials_user import UserCredential as UserCredential
from doorward.config.part import Part

_USUAL = "header"


def _with_kind(value: object) -> object:
    """A credential without a kind is a header: that is the one that most have."""
    return _listed({"kind": _USUAL, **value} if isinstance(value, Mapping) and "kind" not in value else value)


def _listed(value: object) -> object:
    """The same with tuples for lists: what was JSON is none any more behind a validator, and strict about sequences then."""
    match value:
        case list():
            return tuple(_listed(item) for item in value)
        case Mapping():
            return {name: _listed(item) for name, item in value.items()}
        case _:
            return value


_Kinds = NoCredential | HeaderCredential | BasicCredential | AssertionCredential | oauth.OAuthCredential | UserCredential

KINDS: tuple[type[Part], ...] = get_args(_Kinds)
"""Every kind there is."""

SECRETS: dict[type[Part], tuple[str, ...]] = {
    NoCredential: (),
    HeaderCredential: ("value",),
    BasicCredential: ("username", "password"),
    AssertionCredential: (),
    **oauth.SECRETS,
    UserCredential: ("client_secret", "client_key"),
}
"""Of each part, the fields whose texts hold references to secrets: of these nothing else is ever told."""

PARTS: tuple[type[Part], ...] = (*KINDS, *(part for part in SECRETS if part not in KINDS))
"""Every kind, and the parts of theirs that hold secrets."""

Credential = Annotated[
    Annotated[_Kinds, Field(discriminator="kind")],
    BeforeValidator(_with_kind, json_schema_input_type=Annotated[_Kinds, Field(discriminator="kind")]),
]
