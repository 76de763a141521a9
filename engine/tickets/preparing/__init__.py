"""Conversations -> a data set: every stage in order, selected, split and reported."""
