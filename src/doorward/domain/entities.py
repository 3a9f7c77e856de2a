"""Character references of HTML (WHATWG HTML, named and numeric), read in any text: also numbers that no integer is made of."""

import html
import re

_ZEROS = re.compile(r"&#0+(?=[0-9])")
_ENDLESS = re.compile(r"&#[0-9]{10,}")
"""Beyond all characters; `int` refuses thousands of digits, and the whole text would be refused with them."""
_BEYOND = "&#9999999999"


def unescaped(text: str) -> str:
    """The text with what its character references say; what stands for no character is U+FFFD."""
    return html.unescape(_ENDLESS.sub(_BEYOND, _ZEROS.sub("&#", text)) if "&#" in text else text)
