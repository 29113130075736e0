"""What reads checkpoints, for modules that pipelines name: without it they say what to install."""

from spacy_bioner.extras import require

require("transformers", "tokenizers", extra="runtime", who="a transformer encoder")

from tokenizers import Tokenizer as Tokenizer  # noqa: E402
