"""Secrets of others in messages: which are looked for, and what is none (`inspection.secrets`)."""

from pydantic import Field

from doorward.config.part import Name, Part


class SecretRules(Part):
    """What is taken for a secret."""

    off: tuple[Name, ...] = Field((), description="Rules that are not asked, by name")
    allow: tuple[str, ...] = Field((), description="Texts that are no secrets, such as test keys: RE2 patterns over what was found")
