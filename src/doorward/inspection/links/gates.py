"""What says that a message may have a link or an image worth a look, so that all others are spared the walk.

Each is a pattern of what cannot be without: looked for in the JSON text with its escapes blanked, where a quote may be a blank.
"""

from functools import cache

import re2

from doorward.inspection.gate import Gate
from doorward.wire.sieve import Probe

_OPENS = r"""(?:\]\(|\]:|[\s/]href\s*=|action\s*=|src\s*=|<)["\s'<]*"""
_SLASHES = r":\s*/\s*/"
_HOST = r"""[^\s/?#"'<>]*"""

_LOADS = (
    r"!\[",
    # Elements and attributes that have a client load something by itself.
    r"<(?:img|image|picture|script|i?frame|object|embed|link|video|audio|source|track|input|base|use|svg|feimage|body|meta|style)[\s/>]",
    r"[\s/](?:style|background)\s*=",
    # What MCP itself has clients load or show.
    r'"(?:icons|resourceUri|ui/resourceUri|openai/outputTemplate)":',
    r'"mimeType":"\s*text/html',
    r'"uri":"\s*(?:javascript|vbscript|data|file)',
    r'"blob":"',
)
_ODD = (
    # Schemes that do something, and what may be one.
    rf"{_OPENS}(?:j\s*a\s*v\s*a|v\s*b\s*s|d\s*a\s*t\s*a[\s\\]*:|f\s*i\s*l\s*e[\s\\]*:)",
    rf"{_OPENS}[a-z\s]*&(?:#|[a-z]+;)",
    # Hosts that are written so that people read others.
    rf"{_SLASHES}{_HOST}@",
    rf"{_SLASHES}{_HOST}%[0-9a-f][0-9a-f]",
    rf"{_SLASHES}(?:0x[0-9a-f]|0[0-9]+\.|[0-9]+(?:[/?#:\s]|\.[0-9]+(?:\.[0-9]+)?[/?#:\s]))",
    rf"{_SLASHES}{_HOST}[^\x00-\x7f]",
    rf"{_SLASHES}{_HOST}xn--",
    rf"(?:https?|wss?|ftp|file):[\s\\]|{_SLASHES}{_HOST}[\s\\]+@",
    rf"""[\s/]href\s*=["\s']*[a-z]+{_SLASHES}{_HOST}\s+[a-z0-9.-]""",
)
_PAYLOAD = rf"""{_SLASHES}[^\s"'<>]*[a-z0-9_+-]{{22}}"""
_IN_URL = r"""[^\s"'<>()\[\]{}|`]*"""
_URL = rf"(?:(?:https?|wss?|ftp):(?:\\?[/\\]){{2,}}|file:(?:\\?/){{2,}}){_IN_URL}"
_ANY = rf"{_SLASHES}|\]\(|href"


def _gate(*patterns: str) -> Gate:
    joined = f"(?i){'|'.join(patterns)}"
    return Gate(lambda: Probe(re2.compile(joined.encode())), (joined,))


REQUESTS = _gate(_PAYLOAD)
"""Of arguments: open where a URL stands that may carry something."""

ANSWERS = _gate(*_LOADS, *_ODD, _PAYLOAD)
"""Of what upstreams say."""

ALL_LINKS = _gate(*_LOADS, *_ODD, _ANY)
"""The same where every link is of interest: open wherever that is."""


@cache
def odd() -> "re2._Regexp":
    """Of one text: a link that is not what it seems, or does more than lead somewhere."""
    return re2.compile(rf"(?i){'|'.join(_ODD)}")


@cache
def urls() -> "re2._Regexp":
    """URLs as they stand in any text."""
    return re2.compile(rf"(?i){_URL}")


@cache
def long_urls() -> "re2._Regexp":
    """The same, of those that may carry something."""
    return re2.compile(rf"(?i){_URL}[a-z0-9_+-]{{22}}{_IN_URL}")
