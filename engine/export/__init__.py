"""Taking an adapter home and bringing one in: the .zip, its card, and the import."""
