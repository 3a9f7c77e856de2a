"""Operators can reach the control socket, or are told why not."""

import grp
import os
import socket
from pathlib import Path

import pytest

from doorward.config.check_control import control
from doorward.config.model import Control
from doorward.config.problems import dotted

GROUP = grp.getgrgid(os.getegid()).gr_name


def found(root: Path, **fields: object) -> list[tuple[str, str]]:
    findings = control(Control.model_validate(fields), root, root / "state")
    return [(finding.weight.value, dotted(finding.path)) for finding in findings]


def test_the_default_is_sound_and_a_socket_elsewhere_with_a_group_too(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    assert found(tmp_path) == []
    assert found(tmp_path, socket="run/control.sock", group=GROUP, operators={"ann": "viewer"}) == []


def test_operators_who_could_never_open_the_socket_are_noted(tmp_path: Path) -> None:
    assert found(tmp_path, operators={"ann": "viewer"}) == [("note", "control.operators")]


@pytest.mark.parametrize("fields", [{}, {"socket": "state/other.sock"}])
def test_a_group_cannot_reach_into_the_state_directory(tmp_path: Path, fields: dict[str, object]) -> None:
    (tmp_path / "state").mkdir()
    assert found(tmp_path, group=GROUP, **fields) == [("error", "control.group")]


def test_groups_and_directories_that_are_not_there_are_errors(tmp_path: Path) -> None:
    assert found(tmp_path, socket="none/control.sock", group="no-such-group") == [("error", "control.socket"), ("error", "control.group")]


def test_a_file_in_the_place_of_the_socket_is_an_error_and_an_old_socket_none(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")
    assert found(tmp_path, socket="letter") == [("error", "control.socket")]
    old = socket.socket(socket.AF_UNIX)
    old.bind(str(tmp_path / "old.sock"))
    old.close()
    assert found(tmp_path, socket="old.sock") == []


def test_a_path_that_no_socket_can_have_is_an_error(tmp_path: Path) -> None:
    assert found(tmp_path, socket="x" * 120) == [("error", "control.socket")]
