"""How much privacy a fit can have given at most, from guesses of who was in it."""
