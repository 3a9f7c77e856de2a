"""Which path is what: the pages about connections, for the table of the data listener."""

from doorward.credentials.connections.port import CALLBACK_PATH, CLIENT_PATH
from doorward.serving.authority.places import doors
from doorward.serving.connections.flow import Flow
from doorward.serving.pages import ANY, REFERENCE, Place, Places, Readers

CONNECT, OWN = "/connect", "/connect/own"
"""In front of the reference of an ask, and of a link for operators."""


def places(flow: Flow) -> Places:
    """Path → page."""
    people = Readers.PEOPLE
    return {
        **doors(flow.entrance),
        CONNECT.encode() + REFERENCE: Place(flow.asked, ("GET",), people),
        b"/connect/to" + ANY: Place(flow.to, ("GET",), people),
        b"/connect/begin": Place(flow.begin, ("POST",), people),
        OWN.encode() + REFERENCE: Place(flow.own, ("GET",), people),
        OWN.encode(): Place(flow.begin_own, ("POST",), people),
        b"/connections": Place(flow.listed, ("GET",), people),
        b"/connections/revoke": Place(flow.revoke, ("POST",), people),
        CALLBACK_PATH.encode(): Place(flow.callback, ("GET",), people),
        CLIENT_PATH.encode(): Place(flow.document),
    }
