"""Our own OAuth 2.1 authorization server: who may connect, with whose consent, and the tokens that say so."""
