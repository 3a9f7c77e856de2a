"""What in a definition is written for a model rather than for a person: rules over all of its texts, keys and structure."""
