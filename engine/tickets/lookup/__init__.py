"""Look-up: which earlier tickets are nearest to a question, so that an answer can take its facts from them."""
