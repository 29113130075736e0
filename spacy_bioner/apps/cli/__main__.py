"""`python -m spacy_bioner.apps.cli`: the `bioner` command without its script."""

from spacy_bioner.apps.cli.main import run

if __name__ == "__main__":
    run()
