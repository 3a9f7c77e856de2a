"""The pages that people see, from templates that escape everything: no script, no frame, nothing from elsewhere."""

from base64 import b64encode
from hashlib import sha256
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import Response

from doorward.identity.authority.port import Asked, Person
from doorward.serving.authority.words import clean, question

_DAY_SECONDS = 86_400


class Views:
    """The pages of one gateway."""

    __slots__ = ("_gateway", "_pages", "_policy", "_style", "is_secure")

    def __init__(self, public_url: str) -> None:
        loader = PackageLoader("doorward.serving.authority", "templates")
        self._pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self._gateway = urlsplit(public_url).netloc
        self.is_secure = public_url.startswith("https:")
        # No text from outside is in it, so that it alone goes onto a page as it is; the policy names it by its hash.
        self._style = loader.get_source(self._pages, "style.css")[0]
        style = b64encode(sha256(self._style.encode()).digest()).decode()
        self._policy = f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; frame-ancestors 'none'"

    def consent(self, asked: Asked, person: Person, token: str, seconds: float) -> Response:
        """Asks a person whether a client may act for them; `seconds`: how long a yes spares the question."""
        # Browsers hold a form to this list on every redirect that follows: the client's own address, and where that leads in turn.
        forms = "'self' https: http:" if asked.redirect_uri.startswith("http://") else "'self' https:"
        days = max(1, round(seconds / _DAY_SECONDS))
        return self.page("consent.html", 200, forms, asked=question(asked), token=token, days=days, **who(person))

    def stopped(self, status: int, title: str, sentence: str, detail: str = "") -> Response:
        """Says why it does not go on, to a browser that can be sent nowhere."""
        return self.page("stopped.html", status, "'none'", title=title, sentence=sentence, detail=clean(detail, 256), name="", subject="")

    def no_access(self, person: Person) -> Response:
        """Says to somebody whom the company knows that this gateway is not for them."""
        title, sentence = (
            "You have no access here",
            "You have signed in, but nothing at this gateway is open to you. Its operators can change that.",
        )
        return self.page("stopped.html", 403, "'self'", title=title, sentence=sentence, detail="", **who(person))

    def signed_out(self) -> Response:
        """Says that the visit is over."""
        sentence = "Whoever uses this browser next has to sign in again. At your company's identity provider you may still be signed in."
        return self.stopped(200, "You are signed out of this gateway", sentence)

    def page(self, template: str, status: int, forms: str, **values: object) -> Response:
        """A page of a template; `forms`: where its forms may lead (`form-action`)."""
        page = self._pages.get_template(template).render(gateway=self._gateway, style=self._style, **values)
        headers = {"Content-Security-Policy": f"{self._policy}; form-action {forms}", "Cache-Control": "no-store"}
        return Response(page, status, headers, media_type="text/html")


def who(person: Person) -> dict[str, str]:
    """How a page names whoever has signed in."""
    return {"name": clean(person.name) or person.subject.id, "subject": clean(person.subject.id, 256)}
