"""E-mail recipients (RFC 5321 and 5322, of which as much as every mailer reads alike): addresses and domains.

Comments, groups, routes, quoted local parts with marks in them, encoded words: each is legal, and each has been used to have a
check and a mailer see different recipients. None of them is read here.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from doorward.policy.facts.hosts import host
from doorward.policy.facts.kind import ELEMENTS, UnderivedError, distinct, text
from doorward.policy.shapes import Field, Fields, Many, Shape, Text, Whole

_ATOM = r"[A-Za-z0-9#$&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
"""Without `!` and `%`, by which old relays found a way on."""
_ENTRY = re.compile(
    r"""[ ]*+(?:
        (?P<bare>[^\s"<>,;()\[\]:\\]++)
      | (?:"[^"\\<>@,;:]*+"[ ]*+ | [^"\\<>@,;:()\[\]]*+)<(?P<inside>[^<>,;\s]++)>
      | (?P<quoted>"[^"\\]*+"@[^\s"<>,;()\[\]:\\]++)
    )[ ]*+(?=,|\Z)""",
    re.VERBOSE,
)
"""Nothing is tried twice (possessive), so that a long text costs no more than its length."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NOT_CLEAR = "it is not clearly one address after the other"


class Email(msgspec.Struct, frozen=True):
    """Every recipient of one text or of a list of texts."""

    word: str = "email"

    @property
    def takes(self) -> tuple[type, ...]:
        """Text."""
        return (Text,)

    @property
    def options(self) -> tuple[object, ...]:
        """None."""
        return ()

    @property
    def shape(self) -> Shape:
        """Sets of lower-case addresses and domains, and how many distinct addresses there are."""
        texts = Field(Many(Text()), required=True)
        return Fields({"addresses": texts, "domains": texts, "count": Field(Whole(), required=True)}, {})

    @property
    def shape_of_many(self) -> Shape:
        """The same."""
        return self.shape

    def one(self, value: object) -> dict[str, object]:
        """The recipients in one text, which may be several with commas between them."""
        return self.many((value,))

    def many(self, values: Sequence[object]) -> dict[str, object]:
        """The recipients in all texts."""
        found = {address for value in values for address in _addresses(text(value))}
        domains = {address.rpartition("@")[2] for address in found}
        return {"addresses": distinct(list(found)), "domains": distinct(list(domains)), "count": len(found)}


def _addresses(written: str) -> Iterator[str]:
    if _CONTROL.search(written) or "=?" in written:
        raise UnderivedError("it holds a control character or an encoded word")
    at = 0
    for _ in range(ELEMENTS):
        match = _ENTRY.match(written, at)
        if match is None:
            raise UnderivedError(_NOT_CLEAR)
        yield _address(match["bare"] or match["inside"] or match["quoted"])
        at = match.end()
        if at == len(written):
            return
        at += 1  # past the comma
    raise UnderivedError(f"it is more than {ELEMENTS} addresses")


def _address(written: str) -> str:
    local, at, domain = written.rpartition("@")
    if local.startswith('"') and local.endswith('"') and len(local) > 2:
        local = local[1:-1]  # "ann"@example.com is ann@example.com
    if not at or not _LOCAL.fullmatch(local) or len(local) > 64:
        raise UnderivedError(_NOT_CLEAR)
    found = host(domain)
    if found.is_address or domain.endswith("."):
        raise UnderivedError("the domain of an address in it is none")
    return f"{local.lower()}@{found.name}"
