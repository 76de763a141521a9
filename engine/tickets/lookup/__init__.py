"""Look-up: which earlier tickets are nearest to a question, so that an answer can take its facts from them."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")  # bm25s starts JAX where it is installed: that takes 75 % of a GPU
