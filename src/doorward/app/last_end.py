"""How the process before this one ended: a killed one could not send the alerts that it still had, and the log is what tells of it."""

from doorward.audit.auditor import Auditor
from doorward.audit.query import Query
from doorward.domain.alerts import Alert, AlertKind


async def of_last_end(auditor: Auditor) -> Alert | None:
    """The alert of a last process that ended without saying so, to be asked for before the log is told of this one; None where it said so."""
    started, stopped = await _last(auditor, "gateway_started"), await _last(auditor, "gateway_stopped")
    if started <= stopped:
        return None
    last = await _last(auditor, None)
    sentence = "the last process ended without saying so: alerts that it had not sent are lost, and what they told of is in the log"
    return Alert(AlertKind.LOG, sentence, {"started": f"leaf/{started}"}, f"leaf/{last}", "the last process")


async def _last(auditor: Auditor, kind: str | None) -> int:
    """The index of the newest leaf of a type, or of all; -1 where there is none."""
    found = (await auditor.find(Query(type=kind, limit=1))).leaves
    return found[0].index if found else -1
