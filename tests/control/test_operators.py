"""Who operates, by the user id that the kernel tells."""

import grp
import os
import pwd

from hypothesis import given
from hypothesis import strategies as st

from doorward.config.model import OperatorGroup
from doorward.control.operators import Operator, Role, from_groups, from_peer
from tests.control.plane import ANN, BOB


def test_the_gateways_own_user_and_root_are_admins_whatever_the_document_says() -> None:
    own = pwd.getpwuid(os.geteuid()).pw_name
    assert from_peer(os.geteuid(), {own: "viewer"}) == Operator(own, Role.ADMIN)
    assert from_peer(0, {"root": "viewer"}) == Operator("root", Role.ADMIN)


def test_others_are_what_the_document_says_by_name_or_number_or_nobody() -> None:
    daemon = pwd.getpwnam("daemon")
    assert from_peer(daemon.pw_uid, {"daemon": "viewer"}) == Operator("daemon", Role.VIEWER)
    assert from_peer(daemon.pw_uid, {str(daemon.pw_uid): "auditor"}) == Operator("daemon", Role.AUDITOR)
    assert from_peer(ANN, {str(ANN): "viewer"}) == Operator(f"uid {ANN}", Role.VIEWER)
    assert from_peer(BOB, {str(ANN): "admin", "daemon": "admin"}) is None


def test_the_teams_of_approvers_and_owners_are_their_system_groups() -> None:
    daemon = pwd.getpwnam("daemon")
    group = grp.getgrgid(daemon.pw_gid).gr_name
    approver, owner = from_peer(daemon.pw_uid, {"daemon": "approver"}), from_peer(daemon.pw_uid, {"daemon": "owner"})
    assert approver is not None
    assert owner is not None
    assert (group in approver.speaks_for, approver.owns) == (True, frozenset())
    assert (group in owner.speaks_for, group in owner.owns, owner.role) == (True, True, Role.OWNER)
    assert from_peer(ANN, {str(ANN): "owner"}) == Operator(f"uid {ANN}", Role.OWNER)


RULES = {
    "readers": OperatorGroup(role="viewer", teams=("shop",)),
    "yes-sayers": OperatorGroup(role="approver", teams=("pay", "shop")),
    "leads": OperatorGroup(role="owner", teams=("web",)),
    "root": OperatorGroup(role="admin"),
}


def test_a_person_has_the_highest_role_of_their_groups_and_each_team_for_the_role_it_came_with() -> None:
    def of(*groups: str) -> Operator | None:
        return from_groups("corp:ann", "Ann", groups, RULES)

    assert of() is None
    assert of("Readers", "leads2") is None
    assert of("readers") == Operator("corp:ann", Role.VIEWER, shown="Ann")
    assert of("readers", "yes-sayers") == Operator("corp:ann", Role.APPROVER, frozenset({"pay", "shop"}), shown="Ann")
    assert of("leads", "yes-sayers") == Operator("corp:ann", Role.OWNER, frozenset({"pay", "shop", "web"}), frozenset({"web"}), shown="Ann")
    assert of("root") == Operator("corp:ann", Role.ADMIN, shown="Ann")


@given(
    st.sampled_from(Role),
    st.frozensets(st.sampled_from("abc")),
    st.frozensets(st.sampled_from("abc")),
    st.frozensets(st.sampled_from("abc")),
)
def test_nobody_acts_beyond_their_teams_but_admins(
    role: Role, speaks_for: frozenset[str], owns: frozenset[str], teams: frozenset[str]
) -> None:
    operator = Operator("o", role, speaks_for | owns, owns)
    for needed, held in ((Role.APPROVER, speaks_for | owns), (Role.OWNER, owns)):
        expected = role is Role.ADMIN or (role >= needed and teams != frozenset() and teams <= held)
        assert operator.acts_for(needed, teams) is expected
