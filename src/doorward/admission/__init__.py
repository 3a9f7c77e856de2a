"""Whether a call may begin at all: stops, revocations, rates and shares; before anybody asks what policy thinks."""
