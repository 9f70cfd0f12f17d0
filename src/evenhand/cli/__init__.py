"""The command line: verbs of a few lines each. The only room that sees every other."""
