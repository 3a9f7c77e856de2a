"""Who is calling: from a credential to a principal, or to a refusal; nothing in between."""
