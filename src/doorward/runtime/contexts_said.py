"""A context that somebody says, as policy reads it."""

from doorward.config.context_said import ContextSaid
from doorward.domain.flow import Flow, Label, Taint
from doorward.policy.session import Said


def said(context: ContextSaid) -> Said:
    """The session of a call in this context."""
    return Said(
        Flow(
            label=Label(context.integrity, context.confidentiality, frozenset(context.categories)),
            tainted=tuple(Taint(pointer, source) for pointer, source in context.tainted.items()),
            calls=context.calls,
            writes=context.writes,
            externals=context.externals,
            findings=frozenset(context.findings),
            is_too_confidential=context.too_confidential,
            is_too_untrusted=context.too_untrusted,
        )
    )
