"""Where the lookout looks in this house."""

from doorward.app.house import House
from doorward.domain.ids import UpstreamId
from doorward.runtime.alerts.lookout import Lookout, Views


def lookout(house: House) -> Lookout:
    """What looks every second for what nobody tells of by itself."""
    evidence, workbench = house.state.evidence, house.workbench
    views = Views(
        log=lambda: evidence.recorder.failure,
        anchors=lambda: {standing.anchor.name: standing.failure for standing in evidence.anchors.standings},
        upstreams=lambda: {name: upstream.state() for name, upstream in house.fleet.all().items()},
        suspicions=lambda: workbench.suspicions,
        pins=lambda: workbench.pins,
        trust=lambda: {UpstreamId(name): upstream.trust for name, upstream in house.generations.current.document.upstreams.items()},
    )
    return Lookout(views, house.alerting.alarms)
