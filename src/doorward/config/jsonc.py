"""JSON as editors keep it: with comments and trailing commas, blanked out so that places in errors stay true."""

import json
import re

from doorward.config.problems import ConfigError, Problem

BYTES = 2**20
SURROGATE = re.compile(r"[\ud800-\udfff]")

COMMENT = r"(?>//[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z))"
# Atomic, so that a comment ends at its first end, and each letter is looked at a bounded number of times.
TOKEN = re.compile(rf"""(?P<text>"(?:[^"\\\n]|\\.)*+") | {COMMENT} | ,(?=(?>\s|{COMMENT})*+[\]}}])""", re.VERBOSE | re.DOTALL)


def parse(text: str) -> object:
    """The value; raises ConfigError with the place, never with the text. Objects with a key twice are refused."""
    if len(text) > BYTES:
        raise ConfigError([Problem("", 1, 1, f"expected at most {BYTES} characters")])
    try:
        value = json.loads(TOKEN.sub(_blank, text.removeprefix("\ufeff")), object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise ConfigError([Problem("", error.lineno, error.colno, f"this is not JSON: {error.msg.lower()}")]) from None
    except RecursionError:
        raise ConfigError([Problem("", 1, 1, "this JSON is nested too deeply")]) from None
    except ValueError as error:
        raise ConfigError([Problem("", 1, 1, str(error))]) from None
    if SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        raise ConfigError([Problem("", 1, 1, "a text holds half a character (a lone surrogate)")])
    return value


def _blank(match: re.Match[str]) -> str:
    if match["text"] is not None:
        return match[0]
    return "".join("\n" if letter == "\n" else " " for letter in match[0])


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a key twice")
    return found


def _constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
