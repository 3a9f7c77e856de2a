"""Numbers by which states of Asia, Africa and Oceania know people, with the checks that their registrars document."""

from doorward.domain.findings import Severity
from doorward.inspection.personal.checksums import digits, is_date, is_day, luhn, mod_11_2, verhoeff, weighted
from doorward.inspection.personal.rule import Rule, words

_BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TAIWAN = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
_NO_PLACES = frozenset("00 17 18 19 20 69 70 73 80 81 94 95 96 97".split())
_SINGAPORE = {"S": (0, "JZIHGFEDCBA"), "T": (4, "JZIHGFEDCBA"), "F": (0, "XWUTRQPNMLK"), "G": (4, "XWUTRQPNMLK"), "M": (3, "KLJNPQRTUWX")}


def is_aadhaar(text: str) -> bool:
    """Aadhaar (UIDAI): Verhoeff; a palindrome is none."""
    number = digits(text)
    return number != number[::-1] and verhoeff(number)


def is_gstin(text: str) -> bool:
    """GSTIN of India: modulus 36."""
    total = sum(sum(divmod(_BASE36.index(letter) * (1 + place % 2), 36)) for place, letter in enumerate(text[:14]))
    return 1 <= int(text[:2]) <= 38 and _BASE36[(36 - total % 36) % 36] == text[14]


def is_tfn(text: str) -> bool:
    """Tax File Number of Australia: modulus 11."""
    number = digits(text)
    return number.strip("0") != "" and weighted(number, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def is_abn(text: str) -> bool:
    """Australian Business Number: one less in the first digit, modulus 89."""
    number = digits(text)
    return (weighted(number, (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) - 10) % 89 == 0


def is_acn(text: str) -> bool:
    """Australian Company Number: modulus 10."""
    number = digits(text)
    return (10 - weighted(number[:8], range(8, 0, -1)) % 10) % 10 == int(number[8])


def is_medicare(text: str) -> bool:
    """Medicare card of Australia: the ninth digit checks the eight before it."""
    number = digits(text)
    return weighted(number[:8], (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(number[8])


def is_ird(text: str) -> bool:
    """IRD number of New Zealand: modulus 11, a second round where the first gives 10."""
    number = digits(text).zfill(9)
    check = -weighted(number[:8], (3, 2, 7, 6, 5, 4, 3, 2)) % 11
    if check == 10:
        check = -weighted(number[:8], (7, 4, 3, 2, 5, 2, 7, 6)) % 11
    return 10_000_000 <= int(number) <= 150_000_000 and check == int(number[8])


def is_nric(text: str) -> bool:
    """NRIC and FIN of Singapore: modulus 11 through the letters of its series."""
    start, letters = _SINGAPORE[text[0].upper()]
    remainder = (start + weighted(text[1:8], (2, 7, 6, 5, 4, 3, 2))) % 11
    return letters[10 - remainder if text[0].upper() == "M" else remainder] == text[8].upper()


def is_rrn(text: str) -> bool:
    """Resident registration number of Korea: a day of birth; since October 2020 without a check digit."""
    number = digits(text)
    century = 1800 if number[6] in "90" else 1900 if number[6] in "1256" else 2000
    return is_date(century + int(number[:2]), int(number[2:4]), int(number[4:6]))


def is_resident(text: str) -> bool:
    """Resident identity number of China (GB 11643): a day of birth; MOD 11-2."""
    return is_date(int(text[6:10]), int(text[10:12]), int(text[12:14])) and mod_11_2(text)


def is_hong_kong(text: str) -> bool:
    """Hong Kong identity card: modulus 11 over letters and digits; the last may be an A, for 10."""
    plain = text.upper().replace("(", "").replace(")", "")
    head = plain[:-1].rjust(8)
    values = [36 if letter == " " else _BASE36.index(letter) for letter in head]
    total = sum(value * (9 - place) for place, value in enumerate(values))
    return (total + (10 if plain[-1] == "A" else int(plain[-1]))) % 11 == 0


def is_taiwanese(text: str) -> bool:
    """National identification card of Taiwan: its letter as two digits, modulus 10."""
    region = 10 + _TAIWAN.index(text[0])
    return (region // 10 + region % 10 * 9 + weighted(text[1:9], range(8, 0, -1)) + int(text[9])) % 10 == 0


def is_my_number(text: str) -> bool:
    """Individual number of Japan: modulus 11."""
    number = digits(text)
    remainder = weighted(number[:11], (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if remainder <= 1 else 11 - remainder) == int(number[11])


def is_thai(text: str) -> bool:
    """National identification number of Thailand: weights 13 to 2, modulus 11."""
    number = digits(text)
    return (11 - weighted(number[:12], range(13, 1, -1)) % 11) % 10 == int(number[12])


def is_mykad(text: str) -> bool:
    """MyKad of Malaysia: a day of birth and a place that there is."""
    return is_day(text[4:6], text[2:4], text[:2]) and text[7:9] not in _NO_PLACES


def is_south_african(text: str) -> bool:
    """Identity number of South Africa: a day of birth, a citizenship; Luhn."""
    number = digits(text)
    return is_day(number[4:6], number[2:4], number[:2]) and number[10] in "012" and luhn(number)


def is_israeli(text: str) -> bool:
    """Identity number of Israel: Luhn over nine digits."""
    return len(set(text)) > 1 and luhn(text.zfill(9))


def is_emirati(text: str) -> bool:
    """Emirates ID: Luhn."""
    return luhn(digits(text))


_HIGH = Severity.HIGH

RULES = (
    Rule("in_aadhaar", _HIGH, "in", r"[2-9]\d{3}[ :\-]\d{4}[ :\-]\d{4}", is_aadhaar),
    Rule("in_aadhaar", _HIGH, "in", r"[2-9]\d{11}", is_aadhaar, words("aadhaar", "aadhar", "uidai", "uid")),
    Rule("in_pan", _HIGH, "in", r"[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]"),
    Rule("in_pan", _HIGH, "in", r"[A-Z]{5}\d{4}[A-Z]", words=words("pan", "permanent account", "income tax")),
    Rule("in_gstin", Severity.MEDIUM, "in", r"\d{2}[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]", is_gstin),
    Rule("in_gstin", Severity.MEDIUM, "in", r"\d{2}[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]", words=words("gstin", "gst")),
    Rule("au_tfn", _HIGH, "au", r"\d{3} ?\d{3} ?\d{3}", is_tfn, words("tfn", "tax file")),
    Rule("au_abn", Severity.MEDIUM, "au", r"[1-9]\d \d{3} \d{3} \d{3}", is_abn),
    Rule("au_abn", Severity.MEDIUM, "au", r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}", is_abn, words("abn", "australian business")),
    Rule("au_acn", Severity.MEDIUM, "au", r"\d{3} ?\d{3} ?\d{3}", is_acn, words("acn", "australian company")),
    Rule("au_medicare", _HIGH, "au", r"[2-6]\d{3} ?\d{5} ?\d(?:[ /]?\d)?", is_medicare, words("medicare")),
    Rule("nz_ird", _HIGH, "nz", r"\d{2,3}-?\d{3}-?\d{3}", is_ird, words("ird", "inland revenue")),
    Rule("sg_nric", _HIGH, "sg", r"(?i)[stfgm]\d{7}[a-z]", is_nric),
    Rule("kr_rrn", _HIGH, "kr", r"\d{2}[01]\d[0-3]\d-[0-9]\d{6}", is_rrn),
    Rule("kr_rrn", _HIGH, "kr", r"\d{2}[01]\d[0-3]\d{8}", is_rrn, words("rrn", "resident registration", "주민등록")),
    Rule("cn_resident_id", _HIGH, "cn", r"[1-9]\d{5}(?:18|19|20)\d{2}[01]\d[0-3]\d{4}[0-9Xx]", is_resident),
    Rule("hk_identity_card", _HIGH, "hk", r"[A-Z]{1,2}\d{6}\([0-9A]\)", is_hong_kong),
    Rule("tw_national_id", _HIGH, "tw", r"[A-Z][1289]\d{8}", is_taiwanese, words("national id", "id number", "身分證", "身份證", "taiwan")),
    Rule("jp_my_number", _HIGH, "jp", r"\d{4}[ \-]?\d{4}[ \-]?\d{4}", is_my_number, words("my number", "マイナンバー", "個人番号")),
    Rule("th_national_id", _HIGH, "th", r"[1-8]-\d{4}-\d{5}-\d{2}-\d", is_thai),
    Rule("th_national_id", _HIGH, "th", r"[1-8]\d{12}", is_thai, words("thai", "national id", "citizen", "ประชาชน")),
    Rule("my_mykad", _HIGH, "my", r"\d{2}[01]\d[0-3]\d-\d{2}-\d{4}", is_mykad),
    Rule("id_nik", _HIGH, "id", r"[1-9]\d{15}", words=words("nik", "ktp", "kependudukan")),
    Rule(
        "za_id_number",
        _HIGH,
        "za",
        r"\d{2}[01]\d[0-3]\d ?\d{4} ?[012]\d{2}",
        is_south_african,
        words("id number", "identity number", "south african", "sa id", "rsa id", "national id"),
    ),
    Rule("ng_nin", _HIGH, "ng", r"\d{11}", words=words("nin", "nimc", "national identification")),
    Rule("il_identity_number", _HIGH, "il", r"\d{9}", is_israeli, words("teudat zehut", "תעודת זהות", "israeli id")),
    Rule("ae_emirates_id", _HIGH, "ae", r"784-\d{4}-\d{7}-\d", is_emirati),
)
