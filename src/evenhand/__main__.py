"""``python -m evenhand``: the command line, where the script is not on the path."""

from evenhand.cli.main import run

if __name__ == "__main__":
    run()
