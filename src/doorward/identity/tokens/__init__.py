"""Access tokens (RFC 9068, RFC 8705, RFC 9449): whose they are, what they are for, and what they are limited to."""
