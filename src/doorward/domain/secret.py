"""A value that says nothing of itself unless asked in so many words."""

import hmac


class Secret:
    """Holds a secret text; `repr`, `str`, formatting and comparison reveal nothing. Law: `reveal` only where it is used.

    That is in `credentials` and `upstream`, in `identity` where Doorward is a provider's client, and where webhooks are signed and verified.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself, for the one who sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(Secret)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not serialised")
