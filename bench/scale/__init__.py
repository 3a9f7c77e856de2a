"""How Doorward behaves when there is much of everything: agents, tools, policies, receipts, sessions, open streams."""
