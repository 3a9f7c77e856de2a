"""`docs/limits/alerts.md`: its document loads with what the page says are the defaults, and every kind has its row."""

import re
from pathlib import Path

from doorward.config.alerts import Alerts
from doorward.config.ground import Ground
from doorward.config.load import read
from doorward.domain.alerts import AlertKind

PAGE = (Path(__file__).parents[3] / "docs" / "limits" / "alerts.md").read_text("utf-8")
GROUND = Ground(Path("/nonexistent"), {"DOORWARD_ALERTS": "whsec_" + "b2" * 16})


def test_the_document_is_one_and_shows_the_defaults() -> None:
    [text] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    loaded = read(text.encode(), Path("doorward.yaml"), GROUND)
    rules = loaded.document.alerts
    assert (list(rules.webhooks), [server.protocol for server in rules.syslog]) == (["pager"], ["tcp"])
    left_out = {"webhooks": {}, "syslog": (), "kinds": Alerts().kinds}
    assert rules.model_copy(update=left_out) == Alerts()
    assert set(rules.kinds) == set(AlertKind)


def test_every_kind_has_its_row() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == [kind.value for kind in AlertKind]
