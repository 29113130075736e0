"""What reads checkpoints, for modules that pipelines name: without it they say what to install.

Import it before anything else that needs it.
"""

from spacy_bioner.extras import require

require("transformers", "tokenizers", extra="torch", who="a transformer encoder")
