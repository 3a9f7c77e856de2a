"""Where money is: cards (ISO/IEC 7812), accounts (ISO 13616), routing numbers (ABA), addresses of coins."""

from doorward.domain.findings import Severity
from doorward.inspection.personal.checksums import base58check, bech32, digits, luhn, mod_97, weighted
from doorward.inspection.personal.rule import Rule, after, words

_CARD_LENGTHS: tuple[tuple[int, int, frozenset[int]], ...] = (
    (400000, 499999, frozenset({13, 16})),
    (510000, 559999, frozenset({16})),
    (222100, 272099, frozenset({16})),
    (340000, 349999, frozenset({15})),
    (370000, 379999, frozenset({15})),
    (300000, 305999, frozenset({14})),
    (309500, 309599, frozenset({14})),
    (360000, 369999, frozenset({14})),
    (380000, 399999, frozenset({14, 16})),
    (601100, 601199, frozenset({16})),
    (622126, 622925, frozenset({16, 17, 18, 19})),
    (644000, 659999, frozenset({16})),
    (352800, 358999, frozenset({16})),
    (213100, 213199, frozenset({15})),
    (180000, 180099, frozenset({15})),
    (620000, 629999, frozenset({16, 17, 18, 19})),
    (501800, 501899, frozenset({12, 13, 16, 18, 19})),
    (502000, 502099, frozenset({12, 13, 16, 18, 19})),
    (503800, 503899, frozenset({12, 13, 16, 18, 19})),
    (589300, 589399, frozenset({12, 13, 16, 18, 19})),
    (630400, 630499, frozenset({12, 13, 16, 18, 19})),
    (639000, 639099, frozenset({12, 13, 16, 18, 19})),
    (675900, 676399, frozenset({12, 13, 16, 18, 19})),
    (560000, 588999, frozenset({16})),
    (220000, 220499, frozenset({16})),
)
"""First six digits from and to, and the lengths that the scheme gives out: Visa, Mastercard, American Express, Diners Club, Discover,
UnionPay, JCB, Maestro, Mir."""

_CARD = r"(?:[3-6]\d|2[0-7]|18)(?:[ \-]?\d){10,17}"

_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29, "BY": 28, "CH": 21, "CR": 22,
    "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22,
    "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30,
    "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20,
    "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26,
    "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip
"""Letters of an IBAN by country (SWIFT, IBAN registry)."""

_CARDS = words(
    "card", "credit", "debit", "visa", "mastercard", "amex", "maestro", "jcb", "unionpay", "pan", "cc", "ccnum", "kreditkarte", "tarjeta"
)
_ROUTING = words("routing", "aba", "rtn", "transit number", "bank number")
_ACCOUNT = words("bank account", "account number", "account no", "acct no", "checking account", "savings account", "kontonummer")


def is_card(text: str) -> bool:
    """A number that a card scheme gives out, with its check digit."""
    number = digits(text)
    if not luhn(number) or not _is_grouped(text):
        return False
    head = int(number[:6])
    return any(low <= head <= high and len(number) in lengths for low, high, lengths in _CARD_LENGTHS)


def is_any_card(text: str) -> bool:
    """A number of the length of a card's with its check digit (ISO/IEC 7812), whoever gives it out."""
    number = digits(text)
    return 12 <= len(number) <= 19 and len(set(number)) > 1 and luhn(number) and _is_grouped(text)


def _is_grouped(text: str) -> bool:
    """Whether it is written in groups of three and more, as on cards, or as one."""
    return text.isdigit() or (all(len(group) >= 3 for group in text.replace("-", " ").split(" ")) and not (" " in text and "-" in text))


def iban(text: str) -> int:
    """How many characters of a text are an IBAN (ISO 13616), from its beginning, with blanks and hyphens; 0 if none are."""
    wanted = _IBAN_LENGTHS.get(text[:2].upper(), 0)
    ends = [at for at, letter in enumerate(text, 1) if letter.isalnum()]
    if not 0 < wanted <= len(ends):
        return 0
    end = ends[wanted - 1]
    plain = text[:end].replace(" ", "").replace("-", "")
    is_of_one_case = plain in {plain.upper(), plain.lower()}
    return end if is_of_one_case and mod_97(plain[4:] + plain[:4]) else 0


def is_routing(text: str) -> bool:
    """ABA: weights 3, 7, 1, and a district that there is."""
    number = digits(text)
    district = int(number[:2])
    is_district = district <= 12 or 21 <= district <= 32 or 61 <= district <= 72 or district == 80
    return number != "000000000" and is_district and weighted(number, (3, 7, 1) * 3) % 10 == 0


RULES = (
    Rule("card", Severity.HIGH, "", _CARD, is_card),
    Rule("card", Severity.HIGH, "", holds=is_any_card, **after(_CARDS, r"[1-6](?:[ \-]?\d){11,18}", r"\b[1-6](?:[ \-]?\d){11}")),
    Rule("iban", Severity.HIGH, "", r"(?i)[a-z]{2}\d{2}(?:[ \-]?[a-z0-9]{1,4}){3,8}", part=iban),
    Rule("us_routing_number", Severity.MEDIUM, "us", r"\d{9}|\d{4}-\d{4}-\d", is_routing, _ROUTING),
    Rule("bank_account", Severity.MEDIUM, "", **after(_ACCOUNT, r"\d(?:[ \-]?\d){7,16}", r"\b\d(?:[ \-]?\d){7}")),
    Rule("crypto_address", Severity.MEDIUM, "", r"[13][1-9A-HJ-NP-Za-km-z]{25,34}", base58check),
    Rule("crypto_address", Severity.MEDIUM, "", r"(?:bc1|BC1)[0-9AC-HJ-NP-Zac-hj-np-z]{11,71}", bech32),
    Rule("crypto_address", Severity.MEDIUM, "", r"0x[0-9A-Fa-f]{40}"),
)
