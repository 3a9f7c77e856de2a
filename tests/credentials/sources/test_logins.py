"""What of a sign-in at OpenBao is secret, and what is a name."""

from doorward.credentials.sources.logins import AppRoleLogin, JwtLogin
from doorward.domain.secret import Secret


def test_the_name_of_a_role_is_no_secret_and_the_token_is() -> None:
    asked = JwtLogin("jwt", "production-gateway", "${file:token}", lambda text: Secret(f"read {text}\n")).request()
    assert asked.body() == {"role": "production-gateway", "jwt": "read ${file:token}"}
    assert asked.fields == (("jwt", Secret("read ${file:token}")),)


def test_both_ids_of_an_approle_are_secret() -> None:
    asked = AppRoleLogin("approle", "r", "s", Secret).request()
    assert asked.fields == (("role_id", Secret("r")), ("secret_id", Secret("s")))
    assert asked.body() == {"role_id": "r", "secret_id": "s"}
