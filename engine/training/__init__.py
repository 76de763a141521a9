"""A recipe and a data set -> a run with its curve and its adapter."""
