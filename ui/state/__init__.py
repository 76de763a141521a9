"""What the window remembers of a page and of a person."""
