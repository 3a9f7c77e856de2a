"""Policy text: where one policy ends and the next begins, and where in it a word stands.

Cedar's parser says what is wrong but not where; the places are found here.
"""

import re
from collections.abc import Callable, Iterator, Sequence

import msgspec

_TOKEN = re.compile(r'\s+|//[^\n]*|"(?:\\.|[^"\\])*"|[A-Za-z_?][A-Za-z0-9_]*|[0-9]+|::|==|!=|<=|>=|&&|\|\||.', re.DOTALL)
"""One token of Cedar, blank or comment; a quote that nothing closes is a token of its own."""

_DEEPER = frozenset({".", "::", "+", "-", "*", "!", "==", "!=", "<", "<=", ">", ">=", "has", "in", "is", "like"})
"""Tokens after which a parser may stand one level deeper within its operand."""


class _Group(msgspec.Struct):
    """An open bracket, or the text outside of all, on the way through a policy."""

    chain: int = 0
    """Operands joined so far."""
    operand: int = 0
    """Levels of the last one."""
    below: int = 0
    """Levels that lie around it."""

    @property
    def level(self) -> int:
        """Levels so far."""
        return self.below + self.chain + self.operand + 1


class Spot(msgspec.Struct, frozen=True):
    """A place in a file; both count from 1."""

    line: int
    column: int


class Token(msgspec.Struct, frozen=True):
    """One token and the offset it starts at."""

    text: str
    start: int


class Piece(msgspec.Struct, frozen=True):
    """The text of one policy, without what surrounds it, and the offset it starts at."""

    text: str
    start: int
    tokens: tuple[Token, ...]
    """With offsets into the piece."""


def pieces(text: str) -> Iterator[Piece]:
    """The policies of a file: each ends with its semicolon, the last possibly without one."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        word = match.group()
        if word.isspace() or word.startswith("//"):
            continue
        found.append(Token(word, match.start()))
        if word == ";":
            yield _piece(text, found)
            found = []
    if found:
        yield _piece(text, found)


def depth(piece: Piece) -> int:
    """At least as many levels as Cedar's parser would have to nest for a policy. It has no bound of its own, and more of them than its
    stack holds end the process."""
    groups, deepest = [_Group()], 0
    for token in piece.tokens:
        here = groups[-1]
        match token.text:
            case "(" | "[" | "{":
                # What follows a bracket may be applied to it: `a["b"]["c"]`.
                here.operand += 1
                groups.append(_Group())
            case ")" | "]" | "}" if len(groups) > 1:
                groups.pop()
            case "," | "when" | "unless":
                here.chain = here.operand = 0
            case "&&" | "||" | "then" | "else" | "if":
                here.chain, here.operand = here.chain + 1, 0
            case text if text in _DEEPER:
                here.operand += 1
        # Kept, for a sum over all open groups would take a step for each of them at each token.
        groups[-1].below = groups[-2].level if len(groups) > 1 else 0
        deepest = max(deepest, groups[-1].level)
    return deepest


def _piece(text: str, tokens: Sequence[Token]) -> Piece:
    start, last = tokens[0].start, tokens[-1]
    return Piece(text[start : last.start + len(last.text)], start, tuple(Token(token.text, token.start - start) for token in tokens))


def spot(text: str, offset: int) -> Spot:
    """Line and column of an offset."""
    before = text[:offset]
    return Spot(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def find(piece: Piece, *words: str) -> int:
    """The offset of the first token that is one of these words, bare or in quotes; the start of the piece if there is none."""
    wanted = {form for word in words if word for form in (word, quoted(word))}
    return next((token.start for token in piece.tokens if token.text in wanted), 0)


def first_bad(piece: Piece, complaint: Callable[[str], str | None]) -> int:
    """The offset of the token at which a parser that reads from the left first complains of more than a missing end.

    `complaint` gives the parser's error for a text, or None; a text that merely stops early is one with `unexpected end`.
    """
    low, high = 0, len(piece.tokens)
    while low < high:
        middle = (low + high) // 2
        token = piece.tokens[middle]
        error = complaint(piece.text[: token.start + len(token.text)])
        if error is None or "unexpected end" in error:
            low = middle + 1
        else:
            high = middle
    return piece.tokens[low].start if low < len(piece.tokens) else 0


def quoted(word: str) -> str:
    """A string as Cedar source: only printable ASCII, everything else escaped."""
    return '"' + "".join(character if character in _PLAIN else f"\\u{{{ord(character):x}}}" for character in word) + '"'


_PLAIN = frozenset(chr(code) for code in range(0x20, 0x7F)) - {'"', "\\"}
