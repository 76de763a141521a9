"""Scripts that replay an export with the tool it is meant for.

Each runs in a process of its own, by its path and in Python's isolated mode, and imports nothing of this program: what
it loads is what anybody would load. It reads one JSON file and writes another; engine/export/parity/replay.py knows
both.
"""
