"""Agents that go in circles: found by what they call and what they are answered, and told so in words that a model can use."""
