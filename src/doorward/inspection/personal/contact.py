"""Where somebody is reached: e-mail, telephone (ITU-T E.164), addresses on the internet; and when somebody was born."""

import ipaddress

from doorward.domain.findings import Severity
from doorward.inspection.personal.checksums import digits, is_date
from doorward.inspection.personal.rule import Rule, after, words

_NO_DOMAINS = frozenset("png jpg jpeg gif svg webp ico css js ts tsx jsx json html md txt log exe dll".split())
"""What stands last in names of files with an `@` and is no domain."""

_USER = r"://[^ /\"]+@[^ /\"]+"
"""What stands before the host of a URL is a user there, with a password perhaps, and no e-mail."""
_EMAIL = r"[\pL\pN][\pL\pN._%+'\-]*@(?:[\pL\pN][\pL\pN\-]*\.)+\pL{2,24}"

_COUNTRY_CODES = frozenset(
    "1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98".split()
)
"""Of one and two digits (ITU-T E.164, list of assigned codes); three digits begin with what is left over."""
_THREE = (
    "21",
    "22",
    "23",
    "24",
    "25",
    "26",
    "29",
    "35",
    "37",
    "38",
    "42",
    "50",
    "59",
    "67",
    "68",
    "69",
    "80",
    "85",
    "87",
    "88",
    "96",
    "97",
    "99",
)

_TELEPHONE = words(
    "phone", "telephone", "tel", "mobile", "cell", "cellphone", "fax", "call", "calling", "dial", "sms", "whatsapp", "msisdn", "hotline",
    "telefon", "handy", "mobil", "teléfono", "telefono", "móvil", "portable", "téléphone", "celular", "telefone", "text me", "reach me", "ring me",
    "contact", "answering", "message", "messages", "registered", "voicemail", "landline", "pager",
)  # fmt: skip
_LINE = r"(?i:office|fax|mobile|cell|home|work|phone|landline)"
_GROUPED = r"(?:(?:[ .\-/]|\) ?|[ \-]?\()?\d)"
_EXTENSION = r"(?: ?(?:x|ext\.?) ?\d{1,5})?"

_BORN = words(
    "born", "birth", "birthday", "birthdate", "dob", "d.o.b", "date of birth", "geburtsdatum", "geboren", "naissance", "née le", "né le",
    "nacimiento", "nascita", "nascimento", "geboortedatum", "födelsedatum", "fødselsdato", "syntymäaika", "urodzenia",
)  # fmt: skip

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_NUMBERED = r"\d{4}[\-/.]\d{1,2}[\-/.]\d{1,2}|\d{1,2}[\-/. ]\d{1,2}[\-/. ](?:\d{4}|\d{2})"
_NAMED = rf"(?i:\d{{1,2}}(?:st|nd|rd|th)?\.? (?:of )?{_MONTH},? \d{{4}}|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}})"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_VERSION = r"(?i:version|release|build|ver)\W{0,4}[0-9.]+"
"""Four numbers with dots between them that are no address."""

_GROUP = "[0-9A-Fa-f]{1,4}"
_GROUPS = rf"{_GROUP}(?::{_GROUP}){{0,6}}"


def is_email(text: str) -> bool:
    """RFC 5321 as people use it; a name of a file is none."""
    local, _, domain = text.rpartition("@")
    labels = domain.split(".")
    is_whole = ".." not in text and not local.endswith(".") and not any(label.endswith("-") for label in labels)
    return is_whole and len(text) <= 254 and labels[-1].lower() not in _NO_DOMAINS


def is_international(text: str) -> bool:
    """E.164: a country code that is assigned, and fifteen digits at most."""
    number = digits(_without_extension(text))
    is_assigned = number[:1] in {"1", "7"} or number[:2] in _COUNTRY_CODES or number[:2] in _THREE
    return 8 <= len(number) <= 15 and is_assigned and _is_spread(number)


def is_national(text: str) -> bool:
    """As many digits as subscribers have, and not a date."""
    number = digits(_without_extension(text))
    return 7 <= len(number) <= 14 and _is_spread(number) and not _is_any_date(text)


def is_north_american(text: str) -> bool:
    """The North American Numbering Plan: neither area nor exchange begins with 0 or 1."""
    number = digits(_without_extension(text)).removeprefix("1")
    return len(number) == 10 and number[0] not in "01" and number[3] not in "01" and _is_spread(number)


def line(text: str) -> int:
    """How much of a number that is followed by what it leads to (`office`, `fax`) is the number."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ").rstrip(" -")
    return len(number) if 6 <= len(digits(_without_extension(number))) <= 15 else 0


def _without_extension(text: str) -> str:
    return text.lower().partition("x")[0].removesuffix("e")


def _is_spread(number: str) -> bool:
    return len(set(number)) > 2


def _is_any_date(text: str) -> bool:
    parts = text.replace("/", "-").replace(".", "-").split("-")
    return len(parts) == 3 and all(part.isdigit() for part in parts) and is_birthday(text)


def is_address(text: str) -> bool:
    """An address (IPv4, RFC 791; IPv6, RFC 4291); two colons between names are none."""
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    is_code = "::" in text and not any(letter.isdigit() for letter in text)
    return not is_code


def is_birthday(text: str) -> bool:
    """A day of the last centuries."""
    parts = [part for part in "".join(letter if letter.isalnum() else " " for letter in text.lower()).split() if part not in {"of", "de"}]
    if len(parts) != 3:
        return len(digits(text)) == 8 and _is_birthday(int(text[:4]), int(text[4:6]), int(text[6:]))
    numbers = [_MONTHS.index(part[:3]) + 1 if part[:3] in _MONTHS else int(digits(part) or 0) for part in parts]
    if parts[0][:3] in _MONTHS:
        return _is_birthday(numbers[2], numbers[0], numbers[1])
    if len(parts[0]) == 4:
        return _is_birthday(*numbers)
    return _is_birthday(numbers[2], numbers[1], numbers[0]) or _is_birthday(numbers[2], numbers[0], numbers[1])


def _is_birthday(year: int, month: int, day: int) -> bool:
    full = year if year > 99 else 1900 + year
    return 1850 <= full <= 2100 and is_date(full, month, day)


RULES = (
    Rule("email", Severity.MEDIUM, "", _EMAIL, is_email, over=_USER),
    Rule("phone", Severity.LOW, "", rf"\+[1-9](?:[ .\-/]?(?:\(\d{{1,4}}\)|\d{{1,5}})){{2,7}}{_EXTENSION}", is_international),
    Rule("phone", Severity.LOW, "us", rf"(?:1[ .\-])?\d{{3}}[\-.]\d{{3}}[\-.]\d{{4}}{_EXTENSION}", is_north_american),
    Rule("phone", Severity.LOW, "us", rf"\(\d{{3}}\) ?\d{{3}}[\-.]\d{{4}}{_EXTENSION}", is_north_american),
    Rule("phone", Severity.LOW, "", holds=is_national, **after(_TELEPHONE, rf"\(?\d{_GROUPED}{{6,13}}{_EXTENSION}", rf"\d{_GROUPED}{{6}}")),
    Rule("phone", Severity.LOW, "", rf"\(?\d{_GROUPED}{{5,13}}{_EXTENSION}[ \-]{_LINE}", part=line),
    Rule("ip_address", Severity.LOW, "", r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}", is_address, over=_VERSION),
    Rule("ip_address", Severity.LOW, "", rf"::(?:1|{_GROUP}(?::{_GROUP}){{1,6}})", is_address),
    Rule("ip_address", Severity.LOW, "", rf"(?:{_GROUP}:){{7}}{_GROUP}", is_address),
    Rule("ip_address", Severity.LOW, "", rf"{_GROUPS}::(?:{_GROUPS})?", is_address),
    Rule("birth_date", Severity.MEDIUM, "", holds=is_birthday, **after(_BORN, _NUMBERED)),
    Rule("birth_date", Severity.MEDIUM, "", holds=is_birthday, **after(_BORN, _NAMED)),
)
