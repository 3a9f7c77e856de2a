"""What every `ConsentStore` must do."""

from doorward.identity.consents import Consent, ConsentStore
from doorward.testing.stores.rooms import Check, Opening

MOST = 256


def consent(subject: str = "corp:alice", client: str = "https://client.example/id", at: float = 1.5, resource: str = "r") -> Consent:
    """A consent to a client."""
    return Consent(subject, client, "https://client.example/back", resource, ("mcp:a", "mcp:b"), "Client é", "document", at)


async def consents_are_kept_whole_the_latest_first(opening: Opening[ConsentStore]) -> None:
    """Of one person alone; the same key again replaces."""
    async with opening() as store:
        assert await store.of("corp:alice") == ()
        for one in (consent(at=1), consent(resource="s", at=3), consent("corp:bob", at=2), consent(at=4)):
            await store.put(one, MOST)
    async with opening() as store:
        assert await store.of("corp:alice") == (consent(at=4), consent(resource="s", at=3))
        assert await store.of("corp:bob") == (consent("corp:bob", at=2),)


async def the_oldest_consent_makes_room(opening: Opening[ConsentStore]) -> None:
    """The latest of a person stay; others' stay whatever their age."""
    async with opening() as store:
        await store.put(consent("corp:bob", at=0), 2)
        for at in (5, 3, 4):
            await store.put(consent(resource=f"r{at}", at=at), 2)
    async with opening() as store:
        assert await store.of("corp:alice") == (consent(resource="r5", at=5), consent(resource="r4", at=4))
        assert await store.of("corp:bob") == (consent("corp:bob", at=0),)


async def dropped_consents_are_gone(opening: Opening[ConsentStore]) -> None:
    """By person and client, by person, by client; each gives what was there, and nothing the second time."""
    alice, other, bob = consent(), consent(client="c2"), consent("corp:bob")
    async with opening() as store:
        for one in (alice, other, bob):
            await store.put(one, MOST)
        assert await store.drop("corp:alice", alice.client) == (alice,)
        assert await store.drop("corp:alice", alice.client) == ()
    async with opening() as store:
        assert await store.of("corp:alice") == (other,)
        assert await store.drop_client(bob.client) == (bob,)
        assert await store.drop_subject("corp:alice") == (other,)
        assert (await store.of("corp:alice"), await store.of("corp:bob")) == ((), ())


CONSENTS: tuple[Check[ConsentStore], ...] = (
    consents_are_kept_whole_the_latest_first,
    the_oldest_consent_makes_room,
    dropped_consents_are_gone,
)
