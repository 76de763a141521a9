"""Word tables of the clean-up: reply headers, closings, automatic replies, notices; see :mod:`engine.tickets.words`."""

from pathlib import Path

from engine.tickets.words import WordTables

_TABLES = WordTables(Path(__file__).parent)
entries, groups, words, pattern = _TABLES.entries, _TABLES.groups, _TABLES.words, _TABLES.pattern
