"""The few pages of the network door, for people: no script, no style from elsewhere, nothing that could be framed."""

from collections.abc import Sequence
from html import escape

from starlette.responses import Response

from doorward.control.operators import Operator

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'{to}"
_STYLE = "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}code{font-size:1.2em}button{font:inherit}"


def screen(title: str, body: str, status: int = 200, *, leads_to: str = "") -> Response:
    """A page; `body` is HTML whose outside texts are escaped. `leads_to`: where else its form may lead (an origin)."""
    html = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)} · Doorward</title><style>{_STYLE}</style><h1>{escape(title)}</h1>{body}</html>"
    )
    headers = {"Content-Security-Policy": _POLICY.format(to=f" {leads_to}" if leads_to else "")}
    return Response(html, status, headers, media_type="text/html")


def told(title: str, sentence: str, status: int) -> Response:
    """A page that says one thing, and lets one begin again."""
    return screen(title, f'<p>{escape(sentence)}</p><p><a href="/">Back to the beginning</a></p>', status)


def welcome() -> Response:
    """Before anybody has signed in."""
    return screen("Doorward", '<p>Operators of this gateway sign in here.</p><p><a href="/signin">Sign in</a></p>')


def entered(back: str = "/") -> Response:
    """After the sign-in. The step to `back` is this page's own: a cookie that is `SameSite=Strict` does not go along from the provider's."""
    return _step("Signed in", back)


def own_step(path: str) -> Response:
    """Goes to a page of ours from this one, so that the session's cookie goes along, which it does not from another site's link."""
    return _step("Doorward", path)


def _step(title: str, path: str) -> Response:
    to = escape(path)
    return screen(title, f'<meta http-equiv="refresh" content="0;url={to}"><p><a href="{to}">Go on</a></p>')


def overview(operator: Operator) -> Response:
    """Who one is here."""
    rows = [
        ("You are", f"{operator.shown} ({operator.name})" if operator.shown else operator.name),
        ("Your role", operator.role.name.lower()),
        ("You say yes for", _listed(operator.speaks_for)),
        ("You own", _listed(operator.owns)),
    ]
    table = "".join(f"<tr><th align=left>{escape(name)}<td>{escape(text)}" for name, text in rows)
    paths = ("/v1/openapi.json", "/v1/status", "/v1/me", "/readyz", "/metrics")
    links = "".join(f'<li><a href="{path}">{path}</a>' for path in paths)
    form = '<form method="post" action="/signout"><button>Sign out</button></form>'
    answers = '<p><a href="/approvals">Calls that wait for a person</a></p>'
    return screen("Doorward", f"<table>{table}</table>{answers}<p>The admin API:</p><ul>{links}</ul>{form}")


def question(operator: Operator, code: str, phrase: str, to: str) -> Response:
    """Asks whether a command may act as whoever has just signed in."""
    body = (
        f"<p>A command on this computer asks to act as <b>{escape(operator.shown or operator.name)}</b> "
        f"({escape(operator.role.name.lower())}).</p>"
        f"<p>Allow it only if you have just run <code>doorward login</code> and it shows <code>{escape(phrase)}</code>.</p>"
        f'<form method="post" action="/signin/allow"><input type="hidden" name="offer" value="{escape(code)}">'
        '<button name="answer" value="allow">Allow</button> <button name="answer" value="refuse">Refuse</button></form>'
    )
    return screen("Sign in a command", body, leads_to=to)


def _listed(teams: Sequence[str] | frozenset[str]) -> str:
    return ", ".join(sorted(teams)) or "no team"
