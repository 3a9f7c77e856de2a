"""Empty words and public boolean parameters are found; what only resembles them is not."""

import pytest

from checks import names
from checks.source import Source


def messages(text: str, path: str = "src/doorward/net/egress.py") -> list[str]:
    return [violation.message for violation in names.violations(Source.of(path, text))]


@pytest.mark.parametrize("path", ["src/doorward/net/utils.py", "src/doorward/common/tls.py", "src/doorward/net/http_helpers.py"])
def test_an_empty_word_in_a_path_is_found(path: str) -> None:
    assert len(messages("", path)) == 1


@pytest.mark.parametrize("name", ["SessionManager", "HTTPHandler", "BaseModel2", "CallInfo", "UserDataStore"])
def test_an_empty_word_in_a_class_is_found(name: str) -> None:
    assert len(messages(f"class {name}: ...")) == 1


def test_words_that_only_contain_an_empty_one_pass() -> None:
    assert messages("class Database: ...\nclass Handle: ...\nclass Metadata: ...", "src/doorward/net/metadata.py") == []


@pytest.mark.parametrize(
    "function",
    [
        "def f(a, strict: bool): ...",
        "async def f(*, strict: bool = False): ...",
        "def f(strict: bool | None, /): ...",
        'def f(strict: "bool"): ...',
        "class A:\n    def __init__(self, strict: bool): ...",
        "class A:\n    def f(self, strict: bool): ...",
    ],
)
def test_a_boolean_parameter_of_public_code_is_found(function: str) -> None:
    assert len(messages(function)) == 1


def test_private_functions_results_fields_and_command_flags_pass() -> None:
    assert messages("def _f(a: bool): ...\nclass _A:\n    def f(self, a: bool): ...\ndef f() -> bool: ...\nclass B:\n    a: bool") == []
    assert messages("def show(as_json: bool): ...", "src/doorward/cli/log.py") == []
