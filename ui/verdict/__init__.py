"""The tab 'Verdict'."""
