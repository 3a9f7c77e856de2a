"""The ways in which a server may read a text: as it is, and with percent signs and entities read, up to twice."""

from collections.abc import Iterator
from urllib.parse import unquote

from doorward.domain.entities import unescaped
from doorward.inspection.tricks.rules import coded

LONGEST = 4_096
"""Characters of what is short: a name, a path, a search, an address."""

_SENTENCE = 8
"""Words of what is a sentence."""


def readings(text: str) -> Iterator[str]:
    """The text and what comes of reading it again."""
    yield text
    for _ in range(2):
        if coded().search(text) is None:
            return
        read = unescaped(unquote(text))
        if read == text:
            return
        text = read
        yield text


def is_terse(text: str) -> bool:
    """Whether it is short and no prose: what stands in an argument that names something."""
    if len(text) > LONGEST or text.count("\n") > 2:
        return False
    words = [word for word in text.split() if len(word) > 1 and word.strip(".,;:!?()'\"").replace("-", "").replace("'", "").isalpha()]
    return len(words) < _SENTENCE or sum(map(len, words)) * 2 < len(text)
