"""Personal data: found, replaced by placeholders, and shown to a person for review."""
