"""Checks of where the keys are that the database is encrypted with."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import assert_never

from doorward.config.encryption import EncryptionKey, FileKey, KeyringKey, OpenBaoKey
from doorward.config.ground import Found, Ground, error
from doorward.config.model import Document
from doorward.config.problems import Step


def encryption(document: Document, ground: Ground) -> Iterator[Found]:
    """Everything there is to say of the place that is configured, and of those before."""
    rules = document.encryption
    yield from _place(rules.key, document, ground, ("encryption", "key"))
    for index, former in enumerate(rules.former):
        at = ("encryption", "former", index)
        yield from _place(former, document, ground, at)
        if former == rules.key:
            yield error("expected a place that the key was in before, this is where it is now", *at)


def _place(rules: EncryptionKey, document: Document, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    match rules:
        case FileKey(path=path):
            if path is not None and not (ground.root / path).parent.is_dir():
                yield error(f"no directory {(ground.root / path).parent}", *at, "path")
        case KeyringKey():
            if find_spec("keyring") is None:
                yield error("expected the package keyring to be installed (`pip install doorward[keyring]`)", *at, "kind")
        case OpenBaoKey():
            if document.secrets.openbao is None:
                yield error("expected secrets.openbao to say where OpenBao is, and how to sign in there", *at, "kind")
        case _:
            assert_never(rules)
