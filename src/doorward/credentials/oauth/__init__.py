"""Access tokens that Doorward asks an authorization server for, without a person having to click (OAuth 2.0)."""
