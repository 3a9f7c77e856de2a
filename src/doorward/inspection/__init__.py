"""What guards see in a message: facts with a place, of which policy decides what becomes."""
