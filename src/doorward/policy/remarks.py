"""What lint says of a policy: which rule of lint, how grave, where, and what to do about it."""

from enum import StrEnum

import msgspec

from doorward.domain.ids import PolicyId
from doorward.policy.rules import Rule


class Gravity(StrEnum):
    """How grave it is."""

    ERROR = "error"
    """The policy does not do what it says."""
    WARNING = "warning"
    """Most likely not what is meant."""
    NOTE = "note"
    """Worth knowing; fails nothing."""


class Remark(msgspec.Struct, frozen=True):
    """One thing at a place of a file; line and column count from 1."""

    rule: str
    """The rule of lint, such as `shadowed`."""
    gravity: Gravity
    policy: PolicyId
    path: str
    line: int
    column: int
    sentence: str
    advice: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.gravity}: {self.rule}: policy {self.policy} {self.sentence}; {self.advice}"


class Surroundings(msgspec.Struct, frozen=True):
    """What of the document lint has to know."""

    issuers: frozenset[str] | None = None
    """The names of those who vouch for people; None where that is not known."""
    speakers: frozenset[str] | None = frozenset()
    """The teams that some group of operators, or somebody at a channel, speaks for; None where all answers come from the socket."""
    anonymous: str = ""
    """The agent of callers without any credential, if there is one."""


def remark(found: tuple[str, Gravity], rule: Rule, word: str, sentence: str, advice: str) -> Remark:
    """A remark at the first place where a policy says `word`, or at its start."""
    name, gravity = found
    at = rule.problem(word, "")
    return Remark(name, gravity, rule.id, at.path, at.line, at.column, sentence, advice)
