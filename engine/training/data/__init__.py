"""Conversations -> what a run learns from: token ids, labels, rows, and their order."""
