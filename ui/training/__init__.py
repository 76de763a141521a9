"""The tab 'Training'."""
