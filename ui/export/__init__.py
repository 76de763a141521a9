"""The tab 'Export'."""
