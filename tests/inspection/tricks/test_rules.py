"""Forms of tricks: whatever has one is not kept from being looked at by the gate over the message."""

from hypothesis import given
from hypothesis import strategies as st

from doorward.inspection.guards.tricks import _broken
from doorward.inspection.tricks import rules
from doorward.inspection.view import Carrier, View
from tests.made import call

PIECES = st.sampled_from(
    [
        *(
            "'",
            '"',
            ")",
            "(",
            ";",
            "|",
            "&",
            "`",
            "$(",
            "${",
            "{{",
            "}}",
            "\\",
            "\\\\",
            "/",
            "../",
            "..",
            "%2e",
            "%2f",
            "%00",
            "%0a",
            "\n",
            "\r\n",
            " ",
        ),
        *(
            "or",
            "and",
            "union",
            "select",
            "sleep(5)",
            "1",
            "=",
            "--",
            "#",
            "/*",
            "drop table",
            "id",
            "ls",
            "cat",
            "/bin/sh",
            "-la",
            "$where",
            "$ne",
            ":",
        ),
        *(
            "{",
            "[",
            "]",
            "etc",
            "passwd",
            "7*7",
            "config",
            "jndi:",
            "Host:",
            "*)(",
            "<!entity",
            "system",
            "169.254.169.254",
            "x",
            ",",
            "\u2215",
            "true",
        ),
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_gate_fires_where_a_text_has_any_form(text: str) -> None:
    view = View(Carrier.REQUEST, call(), {"arguments": {"a": [text]}, "extras": {}})
    assert not _broken(text) or rules.GATE.may(view.flat)


def test_names_of_rules_are_apart_and_their_forms_are_read() -> None:
    assert len({rule.name for rule in rules.RULES}) == len(rules.RULES) == len(rules.forms())
