"""A rule for one sort of personal data: its form, what must hold of it, and the words that must stand near."""

from collections.abc import Callable
from typing import TypedDict

import msgspec

from doorward.domain.findings import Severity


def anything(text: str) -> bool:
    """Of forms that say it all by themselves."""
    return True


class Rule(msgspec.Struct, frozen=True):
    """One form. Several may have one name: with the words near it, more forms are believed."""

    name: str
    severity: Severity
    country: str
    """ISO 3166-1 alpha-2, lower case; empty: of everywhere."""
    form: str
    """RE2, over UTF-8, for texts without quotes, backslashes and line breaks."""
    holds: Callable[[str], bool] = anything
    """Whether what has the form can be one."""
    words: str = ""
    """RE2: one of these stands near (`words`); empty: none need."""
    inner: str = ""
    """RE2: the piece of what has the form that is meant; empty: all of it, or its group."""
    over: str = ""
    """RE2: what is passed over with all that it holds, where it begins before what has the form."""
    leads: str = ""
    """RE2: what the form begins with, if these are words and `inner` is all that is meant of the rest."""
    least: str = ""
    """RE2: what `inner` begins with wherever it stands; empty: all of it."""
    part: Callable[[str], int] | None = None
    """How many characters of what has the form are it, from its beginning; None: all of them."""


def words(*each: str) -> str:
    """A pattern for any of some words, also where they are parts of a field's name; a blank in a word is any joint or none."""
    return "|".join(map(_word, each))


class After(TypedDict):
    """The fields of a rule for a form that stands after words."""

    form: str
    inner: str
    leads: str
    least: str


def after(near: str, form: str, least: str = "") -> After:
    """A form that stands soon after one of some words, in the same member: for forms that stand in many a text otherwise.

    `least`: what it begins with, where that is looked for in less states than all of it.
    """
    return After(form=rf"(?:{near})(?:[^0-9{{}},]|,[^0-9{{}}\"]){{0,40}}?(?:{form})", inner=form, leads=near, least=least)


_SHORT = 5
"""Letters of a word that stands inside of others by chance, such as `tin` and `sin`."""


def _word(word: str) -> str:
    joint = word.replace(" ", "[ _.-]?")
    if len(word) > _SHORT:
        return f"(?i:{joint})"
    camel = "".join(part.capitalize() for part in joint.split(" "))
    return rf"(?:\b|_)(?i:{joint})(?i:s?)(?:\b|_|[A-Z][a-z])|[a-z]{camel}(?:\b|_|[A-Z])"
