"""The search for subgroups by up to three features at once."""
