"""How the process before this one ended: a killed one could not send the alerts that it still had, and the log is what tells of it."""

from doorward.audit.auditor import Auditor
from doorward.audit.query import Query
from doorward.domain.alerts import Alert, AlertKind


async def of_last_end(auditor: Auditor, size: int) -> Alert | None:
    """The alert of a last process that ended without saying so; None where it said so. `size`: of the log before this process told it anything.

    It may take as long as an index takes to be made anew: nobody should wait for it.
    """
    started, stopped = await _last(auditor, "gateway_started", size), await _last(auditor, "gateway_stopped", size)
    if started <= stopped:
        return None
    sentence = "the last process ended without saying so: alerts that it had not sent are lost, and what they told of is in the log"
    return Alert(AlertKind.LOG, sentence, {"started": f"leaf/{started}"}, f"leaf/{size - 1}", "the last process")


async def _last(auditor: Auditor, kind: str, size: int) -> int:
    """The index of the newest leaf of a type, of the first so many; -1 where there is none."""
    found = (await auditor.find(Query(type=kind, before=size, limit=1))).leaves
    return found[0].index if found else -1
