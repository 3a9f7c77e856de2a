"""Our authorization server on the wire: its endpoints for clients, and the pages and cookies for the browsers of people."""
