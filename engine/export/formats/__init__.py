"""One file a format: what it writes, how large that is, and what it is for."""
