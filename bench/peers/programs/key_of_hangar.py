"""Makes a key of mcp-hangar for a tenant, with the role that may call tools, and says it."""

import sys

from mcp_hangar.auth.infrastructure.sqlite_store import SQLiteApiKeyStore, SQLiteRoleStore

CALLER, TENANT = "service:bench", "bench"


def main(path: str) -> None:
    """The database is made where it is not there yet."""
    keys, roles = SQLiteApiKeyStore(path), SQLiteRoleStore(path)
    keys.initialize()
    roles.initialize()
    roles.assign_role(CALLER, "developer")
    sys.stdout.write(f"{keys.create_key(principal_id=CALLER, name='bench', tenant_id=TENANT)}\n")


if __name__ == "__main__":
    main(sys.argv[1])
