"""What our authority remembers, in memory (`AuthorityStore`): no method awaits anything, so each is one step."""

from msgspec.structs import replace

from doorward.identity.authority.families import DAY_SECONDS, Code, Family, Registered, Use


class MemoryAuthority:
    """Families, codes, spent names and registered clients."""

    def __init__(self) -> None:
        self._codes: dict[str, Code] = {}
        self._used: set[str] = set()
        self._families: dict[str, Family] = {}
        self._spent: dict[str, float] = {}
        self._clients: dict[str, Registered] = {}

    async def keep(self, code: Code) -> None:
        """Keeps a new code."""
        self._codes[code.sha256] = code

    async def code(self, sha256: str) -> Code | None:
        """The code of this hash."""
        return self._codes.get(sha256)

    async def redeem(self, sha256: str, family: Family) -> Use:
        """Uses a code and opens its family; ends the family at a second use."""
        code = self._codes.get(sha256)
        if code is None:
            return Use.NEVER
        if sha256 in self._used:
            self._end(code.family, "code_reused", family.created_at)
            return Use.AGAIN
        if code.expires_at <= family.created_at:
            return Use.NEVER
        self._used.add(sha256)
        self._families[family.id] = family
        return Use.FIRST

    async def open(self, family: Family) -> None:
        """Keeps a new family."""
        self._families[family.id] = family

    async def family(self, family: str) -> Family | None:
        """The family of this id."""
        return self._families.get(family)

    async def groups(self, subject: str, now: float) -> tuple[str, ...]:
        """The groups of a person's newest family that has any."""
        grouped = [family for family in self._families.values() if family.subject == subject and family.groups and _stands(family, now)]
        return max(grouped, key=lambda family: family.created_at).groups if grouped else ()

    async def rotate(self, family: str, old: str, new: str, now: float) -> Use:
        """Replaces the refresh token that is good; ends the family where it is another."""
        known = self._families.get(family)
        if known is None or not _stands(known, now):
            return Use.NEVER
        if known.refresh != old:
            self._end(family, "refresh_reused", now)
            return Use.AGAIN
        self._families[family] = replace(known, refresh=new, refreshed=known.refreshed + 1)
        return Use.FIRST

    async def end(self, family: str, why: str, now: float) -> bool:
        """Ends one family."""
        return self._end(family, why, now)

    async def end_subject(self, subject: str, why: str, now: float) -> tuple[str, ...]:
        """Ends every family of a person."""
        self._void({sha256 for sha256, code in self._codes.items() if code.subject == subject})
        return self._end_all({family.id for family in self._families.values() if family.subject == subject}, why, now)

    async def end_client(self, client: str, why: str, now: float) -> tuple[str, ...]:
        """Ends every family of a client."""
        self._void({sha256 for sha256, code in self._codes.items() if code.client == client})
        return self._end_all({family.id for family in self._families.values() if family.client == client}, why, now)

    async def ended_since(self, moment: float) -> tuple[Family, ...]:
        """Families that were ended then or later."""
        ended = [family for family in self._families.values() if family.ended_at is not None and family.ended_at >= moment]
        return tuple(sorted(ended, key=lambda family: family.id))

    async def spend(self, name: str, until: float, now: float) -> bool:
        """Whether a name is new."""
        if self._spent.get(name, now) > now:
            return False
        self._spent[name] = until
        return True

    async def add(self, client: Registered, most: int) -> bool:
        """Keeps a client that has registered."""
        if len(self._clients) >= most:
            return False
        self._clients[client.id] = client
        return True

    async def registered(self, client: str) -> Registered | None:
        """The client of this id."""
        return self._clients.get(client)

    async def sweep(self, now: float) -> None:
        """Forgets what has been over for a day."""
        over = now - DAY_SECONDS
        self._spent = {name: until for name, until in self._spent.items() if until > now}
        self._void({sha256 for sha256, code in self._codes.items() if code.expires_at <= over})
        self._families = {name: family for name, family in self._families.items() if family.expires_at > over}
        busy = {family.client for family in self._families.values()}
        self._clients = {name: client for name, client in self._clients.items() if name in busy or client.created_at > over}

    def _end(self, family: str, why: str, now: float) -> bool:
        known = self._families.get(family)
        if known is None or not _stands(known, now):
            return False
        self._families[family] = replace(known, ended_at=now, ended_why=why)
        return True

    def _end_all(self, families: set[str], why: str, now: float) -> tuple[str, ...]:
        return tuple([family for family in sorted(families) if self._end(family, why, now)])

    def _void(self, codes: set[str]) -> None:
        self._codes = {sha256: code for sha256, code in self._codes.items() if sha256 not in codes}
        self._used -= codes


def _stands(family: Family, now: float) -> bool:
    return family.ended_at is None and family.expires_at > now
