"""The tab 'Recipe'."""
