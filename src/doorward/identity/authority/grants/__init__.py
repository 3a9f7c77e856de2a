"""What a token can be asked for with: one file a grant."""
