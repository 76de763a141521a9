"""The tab 'Help desk'."""
