"""A prepared data set on disk: its files, where they come from, and what a person changes in them."""
