"""The formats in which a result can be taken home, in the order in which they are offered."""

from engine.errors import StudioError
from engine.export.format import Format
from engine.export.formats.adapter import ADAPTER
from engine.export.formats.gguf import GGUF
from engine.export.formats.gguf_adapter import GGUF_ADAPTER
from engine.export.formats.merged import MERGED
from engine.export.formats.ollama import OLLAMA

FORMATS: dict[str, Format] = {format_.key: format_ for format_ in (ADAPTER, MERGED, GGUF, GGUF_ADAPTER, OLLAMA)}
"""Key -> format."""


def format_of(key: str) -> Format:
    """Return a format by its key.

    Raises:
        StudioError: There is none of that name.
    """
    if key not in FORMATS:
        raise StudioError(f"'{key[:40]}' is no export format.", f"Pick one of: {', '.join(FORMATS)}.")
    return FORMATS[key]
