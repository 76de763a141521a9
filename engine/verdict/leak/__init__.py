"""Whether a recipe lets private data come out again: made-up secrets are planted, learnt, and asked for."""
