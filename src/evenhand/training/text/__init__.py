"""Networks over the tokens of texts by name, in their published structure."""
