"""The tab 'Playground'."""
