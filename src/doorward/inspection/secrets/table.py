"""All rules, in the order in which they are documented."""

from doorward.inspection.secrets.clouds import CLOUDS
from doorward.inspection.secrets.code import CODE
from doorward.inspection.secrets.generic import GENERIC
from doorward.inspection.secrets.keyed import KEYED
from doorward.inspection.secrets.models import MODELS
from doorward.inspection.secrets.money import MONEY
from doorward.inspection.secrets.places import PLACES
from doorward.inspection.secrets.rule import Rule
from doorward.inspection.secrets.talk import TALK
from doorward.inspection.secrets.watching import WATCHING

FORMATS: tuple[Rule, ...] = (*CODE, *CLOUDS, *MODELS, *TALK, *MONEY, *WATCHING)
"""What is known by its own form."""

RULES: tuple[Rule, ...] = (*FORMATS, *PLACES, *KEYED, *GENERIC)
