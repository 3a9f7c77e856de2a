"""The context of a recorded call as its leaf has it; None for what the log does not hold: that is never made up."""

from doorward.domain.flow import Confidentiality, Flow, Integrity, Label, Taint
from doorward.policy.reads import Tree
from doorward.policy.session import Said, reads_taint
from doorward.runtime.replay.recorded import Recorded, Session

_VEILED = "/~h"
"""No pointer says this (RFC 6901): a name that the log veils."""


def session_of(leaf: Recorded) -> Said | None:
    """The context that a leaf tells of."""
    told = leaf.session
    if told is None:
        return None
    try:
        label = Label(Integrity(told.integrity), Confidentiality(told.confidentiality), frozenset(told.categories))
    except ValueError:
        return None
    return Said(
        Flow(
            label,
            tuple(Taint(one.pointer, one.source, one.prose) for one in told.tainted or ()),
            told.calls,
            told.writes,
            told.externals,
            frozenset(told.findings),
            told.too_confidential,
            told.too_untrusted,
        )
    )


def is_lost(leaf: Recorded, read: Tree) -> bool:
    """Whether policies read of a session what its leaf does not hold."""
    told = leaf.session
    if session_of(leaf) is None or told is None or told.cut:
        return True
    return reads_taint(read) and (told.tainted is None or _is_veiled(told))


def _is_veiled(told: Session) -> bool:
    return any(_VEILED in one.pointer for one in told.tainted or ())
