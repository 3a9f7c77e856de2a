"""Injection: orders to a model in texts that a model only was to read, told by the grammar that such orders share."""
