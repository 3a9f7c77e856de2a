"""Whether what is said of secrets of others can be read: patterns of RE2."""

from collections.abc import Iterator

import re2

from doorward.config.ground import Found, error
from doorward.config.secret_rules import SecretRules


def secret_rules(rules: SecretRules) -> Iterator[Found]:
    """Findings about each pattern of what is allowed."""
    for index, pattern in enumerate(rules.allow):
        wrong = _wrong(pattern)
        if wrong:
            yield error(wrong, "inspection", "secrets", "allow", index)


def _wrong(pattern: str) -> str:
    options = re2.Options()
    options.log_errors = False
    try:
        read = re2.compile(pattern, options)
    except re2.error as unread:
        said = unread.args[0] if unread.args else ""
        return f"expected a pattern of RE2: {said.decode(errors='replace') if isinstance(said, bytes) else said}"
    return "expected a pattern that does not match every text" if read.search("") is not None else ""
