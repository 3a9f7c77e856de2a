"""Letters that look like Latin ones (UTS 39): compatibility forms by NFKD, others by a table of those that attacks are written with."""

import unicodedata

_TABLE: dict[str, str] = {
    "a": "аα𐊠ɑαᎪᗅꓮ⍺ａ",
    "b": "ЬьᏏᖯƄβвВΒᗷꓐʙ",
    "c": "сϲⅽᏟꓚСϹᴄ",
    "d": "ԁꓒᗪᎠძⅾժ",
    "e": "еєҽ℮εΕЕᎬꓰɛᴇ",
    "f": "ƒϝғꓝᖴքꜰ",
    "g": "ɡᶃցԍᏀꓖɢ",
    "h": "һᏂհНΗᎻꓧнʜ",
    "i": "іιıɩӏɪІΙᎥꓲⅰ",
    "j": "јϳЈᎫꓙʝᴊ",
    "k": "кκКΚᏦꓗⲕᴋĸ",
    "l": "ⅼʟᏞꓡլӀ|",
    "m": "мМΜᎷꓟⅿᴍ",
    "n": "ոпηռΝꓠɴПп",
    "o": "оοօσОΟՕꓳഠᴏ০୦ө",
    "p": "рρРΡᏢꓑᴘ",
    "q": "ԛգզʠ",
    "r": "гᴦꓣᎡᏒɾʀ",
    "s": "ѕꓢՏЅᏚʂꜱ",
    "t": "тτТΤᎢꓔᴛ",
    "u": "υսцμꓴՍᴜ",
    "v": "ѵνѴᏙꓦᴠ",
    "w": "ԝωшѡᎳꓪɯᴡ",
    "x": "хχХΧꓫ×",
    "y": "уүγУΥҮꓬყʏ",
    "z": "ʐᴢΖᏃꓜᴢ",
}
_REGIONAL = 0x1F1E6
_ENCLOSED = (0x1F150, 0x1F170)
"""White letters on black circles and squares, which have no decomposition."""
_LETTERS = 26


def _folds() -> dict[int, str]:
    folds = {ord(like): letter for letter, likes in _TABLE.items() for like in likes if like != "|"}
    for first in (_REGIONAL, *_ENCLOSED):
        folds |= {first + place: chr(ord("a") + place) for place in range(_LETTERS)}
    return folds


_FOLDS = _folds()


def folded(text: str) -> str:
    """The text with Latin letters for their look-alikes, and no marks over or under them."""
    flat = unicodedata.normalize("NFKD", text)
    if not flat.isascii():
        flat = "".join(letter for letter in flat if not unicodedata.combining(letter))
    return flat.translate(_FOLDS)
