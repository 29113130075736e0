"""torch, for modules that pipelines name: without it they say what to install.

Import it from here, before anything else that needs it.
"""

from spacy_bioner.extras import require

require("torch", "safetensors", extra="torch", who="'bioner'")

import torch as torch  # noqa: E402
from torch import nn as nn  # noqa: E402
