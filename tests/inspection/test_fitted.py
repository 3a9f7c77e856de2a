"""Masks that an output schema lets through."""

import jsonschema_rs
import pytest

from doorward.domain.findings import Finding, Severity
from doorward.inspection.edit import EditError, redacted
from doorward.inspection.fitted import Fitted, fitted
from doorward.inspection.walk import escape


def fit(properties: dict[str, object], value: dict[str, object], *, required: tuple[str, ...] = (), at: str = "/v") -> Fitted:
    schema = {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}
    validator = jsonschema_rs.validator_for(schema)
    body: dict[str, object] = {"content": [], "structuredContent": value}

    def breaks(shown: object) -> str | None:
        assert isinstance(shown, dict)
        error = next(validator.iter_errors(shown["structuredContent"]), None)
        return None if error is None else "/structuredContent" + "".join(map(escape, error.instance_path))

    edit = redacted(body, [Finding("pii", "us_ssn", Severity.HIGH, f"/structuredContent{at}")])
    return fitted(body, edit, breaks, schema)


MASK = "[withheld: us_ssn]"


@pytest.mark.parametrize(
    ("part", "value", "expected"),
    [
        ({"type": "string"}, "536-90-4399", MASK),
        ({"type": ["integer", "null"]}, 536904399, None),
        ({"type": "integer"}, 536904399, 0),
        ({"type": "integer", "minimum": 18}, 536904399, 18),
        ({"type": "string", "maxLength": 11}, "536-90-4399", ""),
        ({"type": "string", "minLength": 3, "maxLength": 11}, "536-90-4399", "***"),
        ({"enum": ["single", "married"]}, "married", "single"),
        ({"type": "boolean"}, True, False),
        ({"type": "array", "items": {"type": "integer"}}, [536904399], []),
        ({"type": "object"}, {"a": 1}, {}),
    ],
)
def test_what_fits_stands_there_and_is_told(part: dict[str, object], value: object, expected: object) -> None:
    found = fit({"v": part}, {"v": value}, required=("v",))
    assert found.body == {"content": [], "structuredContent": {"v": expected}}
    said = "null" if expected is None else "" if expected == MASK else "placeholder"
    assert found.withheld == (({"pointer": "/structuredContent/v", "rule": "us_ssn", "instead": said},) if said else ())


def test_a_member_that_nobody_asks_for_is_left_out_rather_than_made_up() -> None:
    found = fit({"v": {"type": "integer"}}, {"v": 536904399})
    assert found.body == {"content": [], "structuredContent": {}}
    assert found.withheld == ({"pointer": "/structuredContent/v", "rule": "us_ssn", "instead": "absent"},)


def test_the_same_form_stands_in_every_row() -> None:
    rows: dict[str, object] = {
        "v": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}
    }
    found = fit(rows, {"v": [{"n": 536904399}, {"n": 7}, {"n": 536904399}]}, at="/v/0/n")
    assert found.body == {"content": [], "structuredContent": {"v": [{"n": 0}, {"n": 7}, {"n": 0}]}}
    assert [told["pointer"] for told in found.withheld] == ["/structuredContent/v/0/n", "/structuredContent/v/2/n"]


def test_where_nothing_fits_nothing_is_shown() -> None:
    with pytest.raises(EditError):
        fit({"v": {"type": "string", "pattern": "^[0-9]{3}-[0-9]{2}-[0-9]{4}$"}}, {"v": "536-90-4399"}, required=("v",))


def test_a_result_that_broke_its_schema_before_keeps_its_masks() -> None:
    assert fit({"v": {"type": "integer"}}, {"v": "536-90-4399"}, required=("v",)) == Fitted(
        {"content": [], "structuredContent": {"v": MASK}}
    )
