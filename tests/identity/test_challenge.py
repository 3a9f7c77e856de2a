"""What goes with a 401."""

import pytest

from doorward.identity.chain import Presented
from doorward.identity.challenge import challenge


@pytest.mark.parametrize("authorization", [None, "", "Basic YTpi", "Negotiate x"])
def test_who_presented_no_bearer_token_is_told_of_no_error(authorization: str | None) -> None:
    assert challenge(Presented(authorization, "10.0.0.1", loopback=False)) == 'Bearer realm="doorward"'


@pytest.mark.parametrize("authorization", ["Bearer x", "bearer dw_x", "Bearer", "Bearer a, Bearer b"])
def test_who_presented_one_is_told_that_it_is_invalid_and_never_why(authorization: str) -> None:
    assert challenge(Presented(authorization, "10.0.0.1", loopback=False)) == 'Bearer realm="doorward", error="invalid_token"'
