"""What is taken out of a text makes no image of what is left, that the guard of links has not seen."""

import pytest

from doorward.domain.calls import Answer
from doorward.domain.findings import Direction, Disposition, Finding
from doorward.inspection.edit import redacted
from doorward.inspection.guards.links import Links
from doorward.inspection.guards.secrets import OtherSecrets
from doorward.inspection.guards.unicode import Unicode
from doorward.inspection.view import Carrier, View
from doorward.policy.dispose import dispose
from tests.made import call

KEY = "AKIA" + "Q3EGRZ7XK5ABCDEF"
ELSEWHERE = "https://pixel.example/p.png"


def left(*texts: str) -> list[str]:
    """What is left of the texts of a result, with the table that ships."""
    body = Answer({"content": [{"type": "text", "text": text} for text in texts]}, 1).body
    assert isinstance(body, dict)
    view = View(Carrier.RESPONSE, call(), body)
    found = [one for guard in (Unicode(), OtherSecrets(), Links()) for one in guard.look(view) if _is_cut(one)]
    content = redacted(body, found).body["content"]
    assert isinstance(content, list)
    return [block["text"] for block in content]


def _is_cut(finding: Finding) -> bool:
    return dispose(finding, Direction.RESPONSE) is Disposition.REDACT


@pytest.mark.parametrize(
    "texts",
    [
        (f"![a]{KEY}\n\n[withheld: aws_key_id]: {ELSEWHERE}",),
        (f"![a]{KEY}", f"[withheld: aws_key_id]: {ELSEWHERE}"),
        (f"![a]{KEY}", f"> [Withheld:\n aws_key_id]: <{ELSEWHERE}>"),
        (f"![a][b\u200b]\n\n[b]: {ELSEWHERE}",),
        (f"![a][b]\n\n[b\u200b]: {ELSEWHERE}",),
        ("![a][b\u200b]", f"[b]: {ELSEWHERE}"),
        ("![a][b]", f"[b\u200b]: {ELSEWHERE}"),
        (f"![a\u200b]\n\n[a]: {ELSEWHERE}",),
        (f"!\u200b[a]\n\n[a]: {ELSEWHERE}",),
    ],
)
def test_a_reference_that_only_what_is_taken_out_completes_leads_nowhere(texts: tuple[str, ...]) -> None:
    assert ELSEWHERE not in "".join(left(*texts))


def test_a_mask_stands_apart_from_brackets_before_it() -> None:
    assert left(f"![a]{KEY} and [b]{KEY}") == ["![a] [withheld: aws_key_id] and [b] [withheld: aws_key_id]"]
