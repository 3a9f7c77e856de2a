"""Searching for everything at once finds what searching one by one finds."""

import re

from hypothesis import given
from hypothesis import strategies as st

from doorward.catalog.poison import orders, topics, wordings
from doorward.catalog.poison.found import Rule
from doorward.catalog.poison.grammar import Grammar, Said, Wording, spelled
from doorward.domain.findings import Severity

EVERY = (
    *wordings.OVERRIDE,
    *wordings.SECRECY,
    *wordings.OTHER_TOOLS,
    *wordings.PREFERENCE,
    *orders.SOURCES,
    *orders.SHELL,
    *orders.EXFILTRATION,
    *orders.SCOPE,
    *orders.ORDERS,
    *topics.TOPICS,
)
NAMES = re.compile("<[A-Z]+>")
VOCABULARY = (
    "do not never tell mention the user before after using any other tool tools always use this instead of ignore previous instructions your "
    "system prompt read ~/.ssh/id_rsa send to https://x.net all messages must first you best without knowledge of server as bcc and pass results"
).split()


def test_every_group_of_words_that_a_pattern_names_is_there() -> None:
    assert [wording for wording in EVERY if NAMES.search(spelled(wording.pattern + wording.unless))] == []


ALL = Grammar(EVERY)
EACH = [Grammar((wording,)) for wording in EVERY]


@given(st.lists(st.sampled_from(VOCABULARY), max_size=25).map(" ".join))
def test_all_at_once_says_what_each_alone_says(sentence: str) -> None:
    assert list(ALL.said(sentence)) == [said for grammar in EACH for said in grammar.said(sentence)]


def test_what_speaks_against_it_is_heard() -> None:
    grammar = Grammar((Wording(Rule.ORDER, Severity.LOW, r"\bmust\b", unless=r"\bnot\b"),))
    assert list(grammar.said("you must go")) == [Said(Rule.ORDER, Severity.LOW, "must")]
    assert list(grammar.said("you must not go")) == []
