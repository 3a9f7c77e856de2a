"""What the keys of the store are encrypted with, wherever that is kept itself."""

from typing import Annotated, Literal

from pydantic import Field

from doorward.config.part import Part


class FileKey(Part):
    """A file that the gateway's user alone can read; made at the first start."""

    kind: Literal["file"] = Field("file", description="A key in a file")
    path: str | None = Field(
        None,
        min_length=1,
        description="The file, relative to the document; default: `encryption.key` in the state directory. "
        "Elsewhere, a copy of the state directory alone opens nothing",
    )


EncryptionKey = Annotated[FileKey, Field()]
"""One place of key-encryption keys, told apart by `kind`."""


class Encryption(Part):
    """Encryption at rest of what the database keeps of people, calls and credentials; a restart takes changes over."""

    key: EncryptionKey = Field(FileKey(), description="Where the key-encryption key is; the database opens with no other")
    former: tuple[EncryptionKey, ...] = Field(
        (), max_length=4, description="Where it was before: needed for one start, in which the new place takes over"
    )
