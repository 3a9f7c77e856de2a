"""The log of one state directory, opened: keys, committer, recorder, auditor and anchors."""

import socket
from pathlib import Path

import msgspec

from doorward.app import clocks
from doorward.audit import checkpoint, keys
from doorward.audit.anchor import Anchor, Anchors, FileAnchor, SyslogAnchor, anchors, contradiction, outgrown
from doorward.audit.auditor import Auditor
from doorward.audit.checkpoint import Signer, rotation
from doorward.audit.commit import Committer
from doorward.audit.leaf import Bodies
from doorward.audit.recorder import Means, Recorder, SideRules
from doorward.audit.sides import Wrapper
from doorward.audit.veil import Veil
from doorward.config.model import Audit
from doorward.credentials.envelope import Envelope
from doorward.domain.errors import DoorwardError
from doorward.domain.receipts import Event
from doorward.stores.sqlite.database import Database
from doorward.stores.sqlite.log import SqliteLog, head


class Evidence(msgspec.Struct, frozen=True):
    """Everything that writes and reads the log."""

    log: SqliteLog
    recorder: Recorder
    auditor: Auditor
    anchors: Anchors


def open_evidence(database: Database, envelope: Envelope, rules: Audit, root: Path) -> Evidence:
    """The log of a database; raises `KeyFileError` where it has leaves and its keys are lost: new ones would pass for a forgery."""
    directory = database.directory.path
    is_new = database.now(head).size == 0
    held = keys.make(directory, clocks.draw) if is_new else keys.read(directory)
    signer = Signer(rules.origin, held.signing)
    veil = Veil(held.audit)
    bodies = Bodies(socket.gethostname(), veil)
    wrapper = Wrapper(held.side, clocks.draw)
    log = SqliteLog(database, Committer(signer, bodies), clocks.both, envelope)
    sides = SideRules(rules.keep_side_records_days, rules.side_record_bytes)
    recorder = Recorder(Means(log, bodies, wrapper, sides, clocks.now, clocks.draw))
    return Evidence(log, recorder, Auditor(log, veil, wrapper, signer.vkey), anchors(*_anchors(rules, root)))


def _anchors(rules: Audit, root: Path) -> list[Anchor]:
    chosen: list[Anchor] = []
    if rules.anchor_file is not None:
        chosen.append(FileAnchor(root / rules.anchor_file))
    if rules.anchor_syslog is not None:
        server = rules.anchor_syslog
        chosen.append(SyslogAnchor(server.host, server.port, server.protocol, clocks.now))
    return chosen


class AnchorError(DoorwardError):
    """The log is not the one that its anchor tells of: it was rewritten, cut, or an older copy was put back."""


async def check_anchors(evidence: Evidence) -> None:
    """Holds the log against its anchors' last checkpoints; raises `AnchorError`. A new signing key is told to the log, and then to them."""
    rotated = rotation(evidence.log.checkpoint(), evidence.auditor.vkey)
    for standing in evidence.anchors.standings:
        last = standing.anchor.last() if isinstance(standing.anchor, FileAnchor) else None
        wrong = None if last is None else await _wrong(evidence, last, rotated)
        if wrong is not None:
            raise AnchorError(f"{standing.anchor.name}: {wrong}; to begin anew keep that file as evidence and configure another")
    if rotated is not None:
        # Checkpoints of the key before cannot be verified with this one: the verifier is given both.
        await evidence.recorder.note(rotated)
        await evidence.anchors.offer(await evidence.log.seal())


async def _wrong(evidence: Evidence, last: bytes, rotated: Event | None) -> str | None:
    """What an anchored checkpoint says against the log; one of the key before is held against it all the same, but for its signature."""
    if rotated is None:
        return await contradiction(evidence.log, last, evidence.auditor.vkey)
    return await outgrown(evidence.log, checkpoint.parse(last)[1])
