"""What every call makes anew."""

from dataclasses import fields, replace

from doorward.domain.calls import Answer
from doorward.domain.record import record


@record(frozen=True, slots=True)
class Point:
    """Somewhere."""

    x: int
    y: int = 2


def test_a_record_is_a_dataclass_by_value() -> None:
    assert Point(1) == Point(1, 2) != Point(2)
    assert {Point(1): "here"}[Point(1, 2)] == "here"
    assert replace(Point(1), y=3) == Point(1, 3)
    assert [field.name for field in fields(Point)] == ["x", "y"]
    match Point(4, 5):
        case Point(x, y):
            assert (x, y) == (4, 5)


def test_a_record_has_no_room_for_anything_else() -> None:
    assert not hasattr(Point(1), "__dict__")
    assert not hasattr(Answer({}, 2), "__dict__")
