"""Fields, words and documents of an operator's own: what is wrong with them is said, what is there is read with the document."""

from pathlib import Path

import pytest

from doorward.config.check_own import MOST_BYTES
from doorward.config.ground import Ground
from doorward.config.load import read
from doorward.config.own_files import files
from doorward.config.problems import ConfigError

WORDS = "inspection: {dictionaries: {names: {file: names.txt}}}"
TEXTS = "inspection: {documents: {contracts: {files: ['contracts/*.txt']}}}"


def problems(text: str, root: Path) -> list[tuple[str, str]]:
    try:
        notes = read(text.encode(), root / "doorward.yaml", Ground(root, {})).notes
    except ConfigError as error:
        notes = tuple(error.problems)
    return [(problem.path, problem.message) for problem in notes if problem.path.startswith("inspection")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "inspection: {fields: [{name: a, pointers: [patients]}]}",
            [("inspection.fields[0].pointers[0]", 'expected a JSON pointer such as /patients/*/diagnosis, got "patients"')],
        ),
        (
            "inspection: {fields: [{name: a, pointers: [/structuredContent/a]}]}",
            [
                (
                    "inspection.fields[0].pointers[0]",
                    "pointers are into the arguments or the structured result; leave its own name out",
                )
            ],
        ),
        (
            "inspection: {fields: [{name: a, pointers: [/a], upstreams: [crm]}]}",
            [("inspection.fields[0].upstreams[0]", 'there is no upstream "crm"')],
        ),
        (
            "inspection: {dictionaries: {a: {words: [x], file: y}}}",
            [("inspection.dictionaries.a.file", "expected one of words and file, got both")],
        ),
        ("inspection: {dictionaries: {a: {}}}", [("inspection.dictionaries.a", "expected words, or a file with one on each line")]),
    ],
)
def test_what_cannot_be_meant_is_said(text: str, expected: list[tuple[str, str]], tmp_path: Path) -> None:
    assert problems(text, tmp_path) == expected


def test_files_that_are_missing_or_too_large_are_said(tmp_path: Path) -> None:
    (where, message), *_ = problems(WORDS, tmp_path)
    assert (where, message) == (
        "inspection.dictionaries.names.file",
        f"the list {tmp_path}/names.txt cannot be read: No such file or directory",
    )
    assert problems(TEXTS, tmp_path) == [("inspection.documents.contracts.files", f"no file matches in {tmp_path}")]
    (tmp_path / "contracts").mkdir()
    large = tmp_path / "contracts" / "a.txt"
    large.write_bytes(b"x" * (MOST_BYTES + 1))
    assert problems(TEXTS, tmp_path) == [
        ("inspection.documents.contracts.files", f"expected documents of at most {MOST_BYTES} bytes, {large} has {MOST_BYTES + 1}")
    ]


def test_what_is_there_is_read_with_the_document_and_watched(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("# ours\nBluebird\n")
    (tmp_path / "contracts").mkdir()
    contract = tmp_path / "contracts" / "a.txt"
    contract.write_text("whereas")
    text = "inspection: {dictionaries: {names: {file: names.txt}}, documents: {contracts: {files: ['contracts/*.txt']}}}"
    document = read(text.encode(), tmp_path / "doorward.yaml", Ground(tmp_path, {})).document
    assert document.inspection.dictionaries["names"].words == ("Bluebird",)
    (stamp,) = document.inspection.documents["contracts"].found
    assert (stamp[0], stamp[2]) == (str(contract), 7)
    assert files(document, tmp_path) == (contract, tmp_path / "names.txt")
    again = read(text.encode(), tmp_path / "doorward.yaml", Ground(tmp_path, {})).document
    assert again.inspection == document.inspection
    contract.write_text("whereas it changed")
    changed = read(text.encode(), tmp_path / "doorward.yaml", Ground(tmp_path, {})).document
    assert changed.inspection != document.inspection
