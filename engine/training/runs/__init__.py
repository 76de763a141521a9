"""Runs on disk and in the queue: their folders, states, events, curves and checkpoints."""
