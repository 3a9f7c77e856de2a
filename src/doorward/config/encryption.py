"""What the keys of the store are encrypted with, wherever that is kept itself."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from doorward.config.part import Part


def _with_kind(value: object) -> object:
    """A place without a kind is a file."""
    return {"kind": "file", **value} if isinstance(value, Mapping) and "kind" not in value else value


class FileKey(Part):
    """A file that the gateway's user alone can read; made at the first start."""

    kind: Literal["file"] = Field("file", description="A key in a file")
    path: str | None = Field(
        None,
        min_length=1,
        description="The file, relative to the document; default: `encryption.key` in the state directory. "
        "Elsewhere, a copy of the state directory alone opens nothing; two gateways need two files",
    )


class KeyringKey(Part):
    """An entry of the operating system's keyring, by the package `keyring`; made at the first start."""

    kind: Literal["keyring"] = Field(description="A key in the keyring of the operating system")
    service: str = Field("doorward", min_length=1, max_length=128, description="The service of the entry")
    name: str = Field(
        "encryption", min_length=1, max_length=128, description="The name of the entry; two gateways of one user need two names"
    )


class OpenBaoKey(Part):
    """A key of the transit engine of the OpenBao or Vault that `secrets.openbao` declares; it never leaves it."""

    kind: Literal["openbao"] = Field(description="A key of OpenBao's or Vault's transit engine, of the type `aes256-gcm96`")
    mount: str = Field(
        "transit",
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$",
        max_length=128,
        description="Where the engine is mounted",
    )
    key: str = Field(
        "doorward", pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=128, description="The name of the key, which has to be there"
    )


EncryptionKey = Annotated[
    Annotated[FileKey | KeyringKey | OpenBaoKey, Field(discriminator="kind")],
    BeforeValidator(_with_kind, json_schema_input_type=Annotated[FileKey | KeyringKey | OpenBaoKey, Field(discriminator="kind")]),
]
"""One place of key-encryption keys, told apart by `kind`."""


class Encryption(Part):
    """Encryption at rest of what the database keeps of people, calls and credentials; a restart takes changes over."""

    key: EncryptionKey = Field(FileKey(), description="Where the key-encryption key is; the database opens with no other")
    former: tuple[EncryptionKey, ...] = Field(
        (), max_length=4, description="Where it was before: needed for one start, in which the new place takes over"
    )
