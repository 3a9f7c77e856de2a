"""A secret says nothing of itself, however it is asked."""

import copy
import pickle

import pytest

from doorward.domain.ids import LeaseId
from doorward.domain.leases import Lease
from doorward.domain.secret import Secret

SECRET = Secret("hunter2")


def test_no_text_form_of_a_secret_holds_it() -> None:
    lease = Lease(LeaseId("l"), "static", "", "", headers=(("Authorization", SECRET),))
    for shown in (repr(SECRET), str(SECRET), f"{SECRET}", f"{SECRET:>40}", f"{SECRET!r}", repr(lease), str([SECRET]), "%s" % SECRET):  # noqa: UP031
        assert "hunter2" not in shown
    assert SECRET.reveal() == "hunter2"


def test_secrets_are_equal_by_what_they_hold_and_found_by_nothing() -> None:
    assert Secret("hunter2") == SECRET
    assert Secret("hunter3") != SECRET
    assert SECRET != "hunter2"
    assert hash(Secret("a")) == hash(Secret("b"))


def test_a_secret_is_not_written_anywhere() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(SECRET)
    with pytest.raises(TypeError):
        copy.deepcopy(SECRET)
    assert not hasattr(SECRET, "__dict__")
