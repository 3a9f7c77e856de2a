"""What is looked for in messages, and what is done about what is found (`inspection`)."""

from pydantic import Field

from doorward.config.dispositions import DispositionRule
from doorward.config.guards import GuardRule
from doorward.config.links import Links
from doorward.config.part import Name, Part
from doorward.config.personal import DictionaryRule, DocumentsRule, FieldRule, Personal, RuleName
from doorward.config.secret_rules import SecretRules


class InspectionRules(Part):
    """Guards look at every message; the first of these rules that fits a finding says what is done, else the default table does."""

    dispositions: tuple[DispositionRule, ...] = Field((), description="What is done about findings, first match first")
    guards: dict[Name, GuardRule] = Field(default_factory=dict, description="Guards of others that are asked too, by a name of yours")
    secrets: SecretRules = Field(SecretRules(), description="Secrets of others, by the formats that vendors give them")
    personal: Personal = Field(Personal(), description="Structured personal data")
    fields: tuple[FieldRule, ...] = Field((), description="Fields of arguments and results that need no detection: they are always found")
    dictionaries: dict[RuleName, DictionaryRule] = Field(default_factory=dict, description="Words and phrases of yours")
    documents: dict[RuleName, DocumentsRule] = Field(default_factory=dict, description="Documents of yours that are found again in parts")
    links: Links = Field(Links(), description="Links and images in results")
