"""One 4-bit base model, and how it is shared."""
