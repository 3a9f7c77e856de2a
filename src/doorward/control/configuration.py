"""Admin API: the document in force without its secrets, and the order to read it again."""

from typing import Any

import msgspec

from doorward.config.credentials import SECRETS
from doorward.config.facts import MemberFact
from doorward.config.model import Document, ToolRule, Upstream
from doorward.config.part import Part
from doorward.config.references import names
from doorward.control.operators import Role
from doorward.control.routes import Ask, ControlError, Route, Shape
from doorward.runtime.generations import Generations
from doorward.runtime.workbench import ReloadError, Workbench


class Configuration(Shape):
    """The document in force; of texts that may hold secrets, only the references they are made of."""

    generation: int
    digest: str
    document: dict[str, Any]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


class Reload(Shape):
    """What a reload brought."""

    generation: int
    changes: tuple[str, ...]
    warnings: tuple[str, ...]


class Configurations(msgspec.Struct, frozen=True):
    """The operations on the document."""

    generations: Generations
    workbench: Workbench

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        return (
            Route("GET", "/v1/config", Role.VIEWER, "Show the configuration in force", self.show, gives=Configuration),
            Route("POST", "/v1/reload", Role.ADMIN, "Read configuration and policies again", self.reload, gives=Reload),
        )

    async def show(self, ask: Ask) -> Configuration:
        """The document of the current generation."""
        snapshot = self.generations.current
        return Configuration(
            generation=snapshot.generation,
            digest=snapshot.document_digest,
            document=masked(snapshot.document).model_dump(mode="json", exclude_none=True),
            problems=self.workbench.problems,
            warnings=self.workbench.warnings,
        )

    async def reload(self, ask: Ask) -> Reload:
        """A new generation; 409 with every problem, and the old one goes on."""
        try:
            done = await self.workbench.reload(ask.operator.name)
        except ReloadError as error:
            raise ControlError(409, "not_taken", "the old configuration goes on, the new one is not taken", error.problems) from error
        return Reload(generation=done.generation, changes=done.changes, warnings=done.warnings)


def masked(document: Document) -> Document:
    """The document with references in place of every text that a secret may stand in, literals included; without lists of other files."""
    return document.model_copy(update={"upstreams": {name: _masked_upstream(one) for name, one in document.upstreams.items()}})


def _masked_upstream(upstream: Upstream) -> Upstream:
    changes: dict[str, object] = {"tools": {name: _unlisted(rule) for name, rule in upstream.tools.items()}}
    if upstream.credential is not None:
        changes["credential"] = _masked_part(upstream.credential)
    if upstream.stdio is not None:
        changes["stdio"] = upstream.stdio.model_copy(update={"env": {key: names(text) for key, text in upstream.stdio.env.items()}})
    return upstream.model_copy(update=changes)


def _masked_part(part: Part) -> Part:
    """A credential, or a part of one."""
    inner = {field: _masked_part(value) for field in type(part).model_fields if isinstance(value := getattr(part, field), Part)}
    texts = {field: names(text) for field in SECRETS.get(type(part), ()) if (text := getattr(part, field)) is not None}
    return part.model_copy(update={**inner, **texts})


def _unlisted(rule: ToolRule) -> ToolRule:
    """A rule whose lists are as the document has them: what stands in a file of its own may be long, and of customers."""
    read = {name: fact for name, fact in rule.facts.items() if isinstance(fact, MemberFact) and fact.file is not None}
    facts = {**rule.facts, **{name: fact.model_copy(update={"values": ()}) for name, fact in read.items()}}
    return rule.model_copy(update={"facts": facts}) if read else rule
