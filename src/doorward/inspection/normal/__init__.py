"""Other writings: what stands in a text in base64, look-alike letters and the like, read, so that guards see what a model would."""

from doorward.inspection.normal.other import ENTITIES, SPACED, UNSEEN, Other
from doorward.inspection.normal.reading import others, unveiled

__all__ = ["ENTITIES", "SPACED", "UNSEEN", "Other", "others", "unveiled"]
