"""Who operates, by the user id that the kernel tells."""

import grp
import os
import pwd

from doorward.control.operators import Operator, Role, from_peer, groups
from tests.control.plane import ANN, BOB


def test_the_gateways_own_user_and_root_are_admins_whatever_the_document_says() -> None:
    own = pwd.getpwuid(os.geteuid()).pw_name
    assert from_peer(os.geteuid(), {own: "viewer"}) == Operator(own, Role.ADMIN)
    assert from_peer(0, {"root": "viewer"}) == Operator("root", Role.ADMIN)


def test_others_are_what_the_document_says_by_name_or_number_or_nobody() -> None:
    daemon = pwd.getpwnam("daemon")
    assert from_peer(daemon.pw_uid, {"daemon": "approver"}) == Operator("daemon", Role.APPROVER)
    assert from_peer(daemon.pw_uid, {str(daemon.pw_uid): "auditor"}) == Operator("daemon", Role.AUDITOR)
    assert from_peer(ANN, {str(ANN): "viewer"}) == Operator(f"uid {ANN}", Role.VIEWER)
    assert from_peer(BOB, {str(ANN): "admin", "daemon": "admin"}) is None


def test_the_teams_of_an_operator_are_its_system_groups() -> None:
    own = pwd.getpwuid(os.geteuid())
    assert grp.getgrgid(own.pw_gid).gr_name in groups(Operator(own.pw_name, Role.APPROVER))
    assert groups(Operator(f"uid {ANN}", Role.APPROVER)) == frozenset()
