"""A browser without a screen: keeps cookies, follows redirects, and submits the forms it is shown."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a page."""

    action: str
    method: str
    fields: dict[str, str]
    buttons: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """What the browser shows."""

    url: str
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def forms(self) -> list[Form]:
        """Its forms, in order; their actions are absolute."""
        reader = _Forms(self.url)
        reader.feed(self.text)
        return reader.forms


class _Forms(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = urljoin(self.url, named.get("action") or self.url)
            self.forms.append(Form(action, named.get("method", "get").upper(), {}, ()))
        elif tag in ("input", "button") and self.forms and "name" in named:
            form = self.forms[-1]
            if tag == "button" or named.get("type") == "submit":
                self.forms[-1] = Form(form.action, form.method, form.fields, (*form.buttons, (named["name"], named.get("value", ""))))
            else:
                form.fields[named["name"]] = named.get("value", "")


@dataclass(slots=True)
class Browser:
    """One person's browser. Hosts may be stopped at: a page there is not fetched, its URL is what counts (a client's redirect)."""

    stops_at: tuple[str, ...] = ()
    """Prefixes of URLs that are not followed."""
    context: ssl.SSLContext | None = None
    address: str = ""
    """The address of this machine that it connects from, such as 127.0.1.7: a computer of its own. Empty: any."""
    jar: dict[tuple[str, str], str] = field(default_factory=dict)
    """Host and port with name, to value: paths and expiry of cookies are not looked at, `Max-Age=0` removes."""

    def get(self, url: str) -> Page:
        """A page, after all redirects."""
        return self._follow("GET", url, None)

    def submit(self, page: Page, form: Form, fields: Mapping[str, str]) -> Page:
        """The page that comes after a form was sent with these fields besides its own."""
        sent = urlencode({**form.fields, **fields})
        if form.method == "GET":
            return self._follow("GET", f"{form.action}?{sent}", None)
        return self._follow("POST", form.action, sent, referrer=page.url)

    def _follow(self, method: str, url: str, body: str | None, referrer: str = "") -> Page:
        for _ in range(20):
            if url.startswith(self.stops_at) and self.stops_at:
                return Page(url, 0, {}, "")
            page = self._one(method, url, body, referrer)
            if page.status not in (301, 302, 303, 307, 308):
                return page
            if page.status not in (307, 308):
                method, body = "GET", None
            url = urljoin(url, page.headers["location"])
        raise AssertionError(f"too many redirects, the last to {url}")

    def _one(self, method: str, url: str, body: str | None, referrer: str) -> Page:
        parts = urlsplit(url)
        source = (self.address, 0) if self.address else None
        connection = (
            http.client.HTTPSConnection(parts.netloc, timeout=20, context=self.context, source_address=source)
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.netloc, timeout=20, source_address=source)
        )
        headers = {"Accept": "text/html,*/*", "User-Agent": "a browser"}
        cookies = "; ".join(f"{name}={value}" for (host, name), value in self.jar.items() if host == parts.netloc)
        if cookies:
            headers["Cookie"] = cookies
        if body is not None:
            origin = urlsplit(referrer)
            headers |= {
                "Content-Type": "application/x-www-form-urlencoded",
                "Origin": f"{origin.scheme}://{origin.netloc}",
                "Referer": referrer,
            }
        try:
            connection.request(method, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)
            answer = connection.getresponse()
            self._keep(parts.netloc, answer.headers.get_all("Set-Cookie") or [])
            text = answer.read().decode("utf-8", "replace")
            return Page(url, answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)
        finally:
            connection.close()

    def _keep(self, host: str, cookies: list[str]) -> None:
        for cookie in cookies:
            for name, morsel in SimpleCookie(cookie).items():
                if not morsel.value or morsel["max-age"] == "0" or morsel["expires"].startswith("Thu, 01 Jan 1970"):
                    self.jar.pop((host, name), None)
                else:
                    self.jar[host, name] = morsel.value
