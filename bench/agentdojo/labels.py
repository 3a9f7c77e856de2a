"""How an operator labels AgentDojo's tools: by what each of them is, never by what a task does with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum


class Says(Enum):
    """Whose words a tool's answers are."""

    OWN = "own"
    """The account's owner's own particulars, the clock, and a tool that only confirms what it was told: trusted."""
    CATALOGUE = "catalogue"
    """What the provider itself publishes (prices, addresses, timetables): trusted and public where an operator says so."""
    PUBLISHED = "published"
    """What anybody has published (reviews, web pages): untrusted, and public where an operator says so."""
    RECEIVED = "received"
    """What others have sent or stored: untrusted and internal, as everything of which nothing is said."""


class Does(Enum):
    """What a tool does, as groups of a target."""

    READS = ("read",)
    FETCHES = ("read", "external")
    """Reads what is outside: whoever is asked learns of it."""
    WRITES = ("write",)
    REACHES = ("write", "external")
    """Changes what others see or hold: mail, invitations, payments, bookings."""


@dataclass(frozen=True, slots=True)
class Tool:
    """What is said of one tool."""

    says: Says
    does: Does


def _all(says: Says, does: Does, names: str) -> dict[str, Tool]:
    return {name: Tool(says, does) for name in names.split()}


TOOLS: Mapping[str, Tool] = {
    **_all(
        Says.OWN,
        Does.READS,
        "get_current_day search_contacts_by_name search_contacts_by_email get_user_info get_user_information get_iban get_balance "
        "get_scheduled_transactions",
    ),
    **_all(
        Says.CATALOGUE,
        Does.READS,
        "get_all_hotels_in_city get_hotels_prices get_hotels_address get_all_restaurants_in_city get_cuisine_type_for_restaurants "
        "get_restaurants_address get_dietary_restrictions_for_all_restaurants get_contact_information_for_restaurants "
        "get_price_for_restaurants check_restaurant_opening_hours get_all_car_rental_companies_in_city get_car_types_available "
        "get_car_fuel_options get_car_rental_address get_car_price_per_day get_flight_information",
    ),
    **_all(
        Says.PUBLISHED, Does.READS, "get_rating_reviews_for_hotels get_rating_reviews_for_restaurants get_rating_reviews_for_car_rental"
    ),
    **_all(Says.PUBLISHED, Does.FETCHES, "get_webpage"),
    **_all(
        Says.RECEIVED,
        Does.READS,
        "get_unread_emails get_sent_emails get_received_emails get_draft_emails search_emails search_calendar_events "
        "get_day_calendar_events search_files_by_filename get_file_by_id list_files search_files get_most_recent_transactions read_file "
        "get_channels read_channel_messages read_inbox get_users_in_channel",
    ),
    **_all(Says.OWN, Does.WRITES, "delete_email create_file update_password update_user_info add_user_to_channel remove_user_from_slack"),
    **_all(Says.RECEIVED, Does.WRITES, "append_to_file delete_file"),
    **_all(
        Says.OWN,
        Does.REACHES,
        "send_email create_calendar_event cancel_calendar_event send_money schedule_transaction update_scheduled_transaction "
        "reserve_hotel reserve_car_rental reserve_restaurant send_direct_message send_channel_message invite_user_to_slack post_webpage",
    ),
    **_all(Says.RECEIVED, Does.REACHES, "share_file reschedule_calendar_event add_calendar_event_participants"),
}
"""Every tool of the four suites; what only confirms repeats nothing that others have written."""

EFFECTS = frozenset({"write", "external"})

Yaml = dict[str, object]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What an operator has written."""

    name: str
    presets: tuple[str, ...]
    labels: Mapping[Says, Yaml]
    endorse: Mapping[str, Yaml]
    """Endorsements of the upstream `workspace`: nowhere else does a result say who wrote it, in an address that somebody has verified."""

    def tools(self, names: Sequence[str]) -> Yaml:
        """`upstreams.*.tools`."""
        return {name: self._tool(TOOLS[name]) for name in names}

    def flow(self, upstream: str) -> Yaml:
        """`flow` of a house with this upstream."""
        return {"presets": list(self.presets), "endorse": dict(self.endorse) if upstream == "workspace" else {}}

    def _tool(self, tool: Tool) -> Yaml:
        labels = self.labels.get(tool.says)
        return {"groups": list(tool.does.value), **({"labels": labels} if labels else {})}


def _endorsed(field: str, names: str) -> Yaml:
    """Results of these tools whose authors are all of the company's own domain."""
    return {
        "tools": [f"workspace/{name}" for name in names.split()],
        "field": field,
        "domains": ["bluesparrowtech.com", "*.bluesparrowtech.com"],
    }


_OWN: Mapping[Says, Yaml] = {Says.OWN: {"integrity": "trusted"}}
_SAID: Mapping[Says, Yaml] = {
    **_OWN,
    Says.CATALOGUE: {"integrity": "trusted", "confidentiality": "public"},
    Says.PUBLISHED: {"confidentiality": "public"},
}
_COLLEAGUES: Mapping[str, Yaml] = {
    "mail": _endorsed("/result/*/sender", "get_unread_emails get_sent_emails get_received_emails get_draft_emails search_emails"),
    "meetings": _endorsed("/result/*/participants/*", "search_calendar_events get_day_calendar_events"),
    "meeting": _endorsed("/result/participants/*", "reschedule_calendar_event add_calendar_event_participants"),
    "files": _endorsed("/result/*/owner", "search_files_by_filename list_files search_files"),
    "file": _endorsed("/result/owner", "get_file_by_id append_to_file delete_file share_file"),
}
_BOTH = ("rule_of_two", "no_untrusted_destination")

STRICT = Configuration("strict", _BOTH, _OWN, {})
ENDORSED = Configuration("endorsed", _BOTH, _SAID, _COLLEAGUES)
DESTINATIONS = Configuration("destinations", ("no_untrusted_destination",), _SAID, _COLLEAGUES)
CONFIGURATIONS = (STRICT, ENDORSED, DESTINATIONS)
