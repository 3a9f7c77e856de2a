"""What is said of secrets of others can be read."""

import pytest

from doorward.config.check_secret_rules import secret_rules
from doorward.config.secret_rules import SecretRules


def test_patterns_of_re2_are_taken() -> None:
    assert list(secret_rules(SecretRules(allow=("^sk_test_", "AKIA0{4}")))) == []


@pytest.mark.parametrize(("pattern", "said"), [("(", "a pattern of RE2"), ("(?=a)b", "a pattern of RE2"), (".*", "not match every text")])
def test_what_cannot_be_tried_or_fits_everything_is_an_error(pattern: str, said: str) -> None:
    (found,) = secret_rules(SecretRules(allow=("^a", pattern)))
    assert found.path == ("inspection", "secrets", "allow", 1)
    assert said in found.message
