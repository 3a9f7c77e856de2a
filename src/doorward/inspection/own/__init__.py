"""What an operator wants found: words and phrases, and parts of documents."""
