"""`python -m supercheck` is the command line."""

from supercheck.cli import run

if __name__ == "__main__":
    run()
