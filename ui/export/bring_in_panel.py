"""The part of the tab 'Export' that brings an adapter in, from this computer or from the model hub."""

from pathlib import Path
from typing import Any

from engine.errors import StudioError
from ui.context import Context
from ui.events import once
from ui.export import views


def wire(context: Context) -> None:
    """Attach the handler."""
    ui, studio = context.export.bringing, context.studio

    def bring(zip_file: str | None, folder: str, name: str, base: str) -> dict[Any, Any]:
        source = zip_file or folder.strip()
        if not source:
            raise StudioError("Nothing to import yet.", "Drop a .zip, or write the path of an adapter folder.")
        if studio.hub.is_there(source):
            identifier = studio.hub.fetch(source, name.strip(), base.strip()).wait()
        else:
            identifier = studio.adapters.bring_in(Path(source), name.strip() or Path(source).stem, base.strip())
        voice = studio.playground.voice(identifier)
        return {ui.imported: views.imported(voice.label), ui.zip: None, ui.folder: "", ui.name: "", ui.base: ""}

    once(ui.bring, bring, [ui.zip, ui.folder, ui.name, ui.base], [ui.imported, ui.zip, ui.folder, ui.name, ui.base])
