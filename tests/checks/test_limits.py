"""Law 10: each limit passes at its edge and fails one beyond it."""

import pytest

from checks import limits
from checks.source import Source


def messages(text: str) -> list[str]:
    return [str(violation) for violation in limits.of_code(Source.of("src/doorward/wire/x.py", text))]


def function(body: str, head: str = "def f(a):") -> str:
    return head + "\n" + "\n".join(f"    {line}" for line in body.splitlines()) + "\n"


def test_four_hundred_lines_pass_and_one_more_fails() -> None:
    assert messages("a = 1\n" * 400) == []
    assert messages("a = 1\n" * 401) == ["src/doorward/wire/x.py:400: 401 lines, at most 400 are allowed in a file"]


def test_a_function_of_sixty_lines_passes_and_one_more_fails() -> None:
    assert messages(function("a = 1\n" * 59)) == []
    assert messages(function("a = 1\n" * 60)) == ["src/doorward/wire/x.py:1: f has 61 lines, at most 60 are allowed"]


def test_six_parameters_pass_and_a_seventh_of_any_kind_fails() -> None:
    assert messages(function("return", "def f(a, b, /, c, *, d, e, f):")) == []
    assert messages("class A:\n    def f(self, a, b, c, d, e, f): ...\n    def g(cls, *a, b, c, d, e, **f): ...\n") == []
    assert messages(function("return", "async def f(a, /, b, *c, d, e, f, **g):")) == [
        "src/doorward/wire/x.py:1: f has 7 parameters, at most 6 are allowed"
    ]


@pytest.mark.parametrize(
    ("statement", "weight"),
    [
        ("if a:\n    pass", 1),
        ("if a:\n    pass\nelif a:\n    pass\nelse:\n    pass", 2),
        ("for x in a:\n    pass", 1),
        ("async for x in a:\n    pass", 1),
        ("while a:\n    pass", 1),
        ("try:\n    pass\nexcept A:\n    pass\nexcept B:\n    pass\nelse:\n    pass\nfinally:\n    pass", 2),
        ("match a:\n    case 1:\n        pass\n    case 2:\n        pass\n    case _:\n        pass", 2),
        ("match a:\n    case _ if b:\n        pass", 1),
        ("a = b if c else d", 1),
        ("a = b and c or d", 2),
        ("a = b and c and d", 2),
        ("a = [x for x in b]", 0),
        ("a = [x for x in b if c if d]", 2),
        ("with a:\n    pass", 0),
        ("def g():\n    if a:\n        pass", 1),
    ],
)
def test_every_decision_counts_as_a_branch(statement: str, weight: int) -> None:
    padding = "\n".join(["a = b and c"] * (limits.BRANCHES - weight))
    fits = function(f"{statement}\n{padding}", "async def f(a):")
    assert messages(fits) == []
    assert messages(fits + "    a = b and c\n")[-1] == "src/doorward/wire/x.py:1: f has 11 branches, at most 10 are allowed"


@pytest.mark.parametrize("block", ["if a:", "for x in a:", "while a:", "match a:\n  case 1:", "try:"])
def test_two_blocks_deep_pass_and_a_third_fails(block: str) -> None:
    ending = "\n{}finally:\n{} pass" if block == "try:" else ""
    inner = block.replace("\n", "\n    ")
    two = f"if a:\n  with b:\n    {inner}\n        c()" + ending.format("    ", "    ")
    three = "while a:\n" + "\n".join(f"  {line}" for line in two.splitlines())
    assert messages(function(two)) == []
    assert messages(function(three)) == ["src/doorward/wire/x.py:1: f has 3 levels of nesting, at most 2 are allowed"]


def test_elif_is_no_deeper_but_an_if_beside_another_statement_in_else_is() -> None:
    chain = "if a:\n  b()\nelif c:\n  d()\nelif e:\n  f()\nelse:\n  if g:\n    h()\n  i()"
    assert messages(function(chain)) == []
    assert messages(function("if a:\n  b()\nelse:\n  if c:\n    if d:\n      e()\n  f()"))[0].endswith(
        "3 levels of nesting, at most 2 are allowed"
    )


def test_a_function_in_a_function_begins_its_nesting_anew() -> None:
    assert messages(function("if a:\n  for b in c:\n    def g():\n      if d:\n        e()")) == []


@pytest.mark.parametrize("holder", ["def f():", "async def f():", "class A:"])
def test_an_import_that_is_not_at_the_top_fails(holder: str) -> None:
    assert messages("if TYPE_CHECKING:\n    import a\n") == []
    assert messages(function("if a:\n    from b import c", holder)) == [
        "src/doorward/wire/x.py:3: an import inside a function or class, imports stand at the top of the file"
    ]
