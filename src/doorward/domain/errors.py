"""Errors that more than one room raises or maps."""


class DoorwardError(Exception):
    """Root of every error that is ours and not a refusal."""


class UnrecordedError(DoorwardError):
    """The log could not be written; nothing may be forwarded."""


class StoreError(DoorwardError):
    """A store could not answer."""
