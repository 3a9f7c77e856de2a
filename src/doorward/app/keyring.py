"""The package `keyring`, which is an extra: imported in the thread that asks, and only when somebody does."""

from importlib import import_module


def get(service: str, name: str) -> str | None:
    """`keyring.get_password`."""
    found: str | None = import_module("keyring").get_password(service, name)
    return found


def put(service: str, name: str, text: str) -> None:
    """`keyring.set_password`."""
    import_module("keyring").set_password(service, name, text)
