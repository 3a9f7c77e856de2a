"""Whether messages could be sent to a service as they are meant to be: its address, and the secret that signs them."""

import re
from collections.abc import Iterator
from typing import Protocol
from urllib.parse import SplitResult

from doorward.config.addresses import is_loopback, is_special, split_url
from doorward.config.ground import Found, Ground, error, note
from doorward.config.inline import by_form, by_name
from doorward.config.problems import Step
from doorward.config.references import MalformedError, Remote, Resolver, UnresolvedError, references_in

_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{32,88}={0,2}")
"""24 to 64 bytes in base64."""


class Addressed(Protocol):
    """What is declared of any webhook."""

    @property
    def url(self) -> str:
        """Where messages go."""
        ...

    @property
    def private(self) -> bool:
        """Whether the address may be special-use."""
        ...

    @property
    def plain_http(self) -> bool:
        """Whether http is meant."""
        ...


def address(webhook: Addressed, at: tuple[Step, ...]) -> Iterator[Found]:
    """Findings about where messages go; `at`: the place of `url`."""
    parts = split_url(webhook.url)
    if isinstance(parts, str):
        yield error(parts, *at)
        return
    if by_form(webhook.url) or any(by_name(key, value) for key, _, value in (pair.partition("=") for pair in parts.query.split("&"))):
        yield error("a secret may not stand in a URL; messages are signed with the secret of this webhook", *at)
    yield from _scheme(webhook, parts, at)
    if not webhook.private and is_special(parts.hostname or ""):
        yield error("this address is loopback, private or otherwise special-use; if that is meant, say private: true", *at)


def secret(text: str, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    """Findings about the reference that leads to the secret; none of them repeats it."""
    try:
        pointers = references_in(text)
    except MalformedError as malformed:
        yield error(str(malformed), *at)
        return
    if len(pointers) != 1 or text.strip() != str(pointers[0]):
        yield error("a secret may not stand here; write ${env:NAME} or ${file:path}, and nothing else", *at)
        return
    if isinstance(pointers[0], Remote):
        return  # what it leads to, the running gateway alone can say
    resolver = Resolver(ground.root, ground.environment)
    yield from (note(f"others may read the secret in {file}; chmod 600 it", *at) for file in resolver.exposed(text))
    try:
        if not resolver.is_like(text, _SECRET):
            yield error("expected whsec_ and 24 to 64 bytes in base64 where this leads", *at)
    except UnresolvedError as missing:
        yield note(str(missing), *at)


def _scheme(webhook: Addressed, parts: SplitResult, at: tuple[Step, ...]) -> Iterator[Found]:
    if parts.scheme == "http" and not webhook.plain_http:
        yield error("expected https; if http is meant, say plain_http: true", *at)
    elif parts.scheme == "https" and webhook.plain_http:
        yield error("plain_http is said of an https url; one of them is a mistake", *at[:-1], "plain_http")
    elif parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        yield note("what calls are about travels unencrypted over http", *at)
