"""The search for subgroups by up to three features at once, and what holds for those that are found."""
