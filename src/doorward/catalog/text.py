"""Text of upstreams before people's eyes: characters that cannot be seen, shown; names that look alike, folded together."""

import re
import unicodedata

INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\uffff\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters that leave no mark but count as letters, marks or symbols, besides all that `str.isprintable` refuses."""

LOOKALIKES = str.maketrans(
    {
        # Cyrillic and Greek letters in the shapes of Latin ones (Unicode TR 39); capitals first, for case folding changes their shape.
        **dict(zip("АВЕЅІЈКМНОРСТХУԌ", "abesijkmhopctxyg", strict=True)),
        **dict(zip("аеѕіјорсхуһԁӏԛԝѵ", "aesijopcxyhdlqwv", strict=True)),
        **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "abezhikmnoptyx", strict=True)),
        **dict(zip("αικνορτυχγ", "aiknoptuxy", strict=True)),
        "ν": "v",
        "ı": "i",
        "ɡ": "g",
        "ɑ": "a",
    }
)
CONFUSED = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s"})
NOT_WORD = re.compile(r"[\W_]+")


def visible(text: str) -> str:
    """The text with every character that cannot be seen, or acts on the screen, as `⟨U+200B⟩`; line breaks stay."""
    if text.isprintable() and text.isascii():
        return text
    return "".join(letter if is_visible(letter) or letter == "\n" else f"⟨U+{ord(letter):04X}⟩" for letter in text)


def is_visible(letter: str) -> bool:
    """Whether one character leaves its own mark."""
    return letter.isprintable() and INVISIBLE.match(letter) is None


def is_clean(text: str) -> bool:
    """Whether every character of a text leaves its own mark, space included."""
    return text.isprintable() and INVISIBLE.search(text) is None


def skeleton(name: str) -> str:
    """What is left of a name for a person in a hurry: equal for names that look alike."""
    letters = name.lower() if name.isascii() else _latin(name)
    return NOT_WORD.sub("", letters.translate(CONFUSED)).replace("rn", "m").replace("vv", "w")


def _latin(name: str) -> str:
    """The name in lower case, with letters in the shape of Latin ones as these, and without marks."""
    folded = unicodedata.normalize("NFKC", name).translate(LOOKALIKES).casefold()
    return "".join(letter for letter in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(letter))
