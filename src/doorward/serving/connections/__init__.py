"""The pages on which people connect accounts of their own at upstreams, look at them, and end them."""
