"""Word tables of facts: units, number words, weekdays, promises; see :mod:`engine.tickets.words`."""

from pathlib import Path

from engine.tickets.words import WordTables

_TABLES = WordTables(Path(__file__).parent)
entries, groups, words, pattern = _TABLES.entries, _TABLES.groups, _TABLES.words, _TABLES.pattern
