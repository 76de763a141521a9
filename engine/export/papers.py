"""What an adapter brings along of its origin, looked at when it comes in: passport.json and parity.json.

Both were written by whoever exported it, so they are read as a stranger's. What they say of the weights and of the base
is compared with what lies beside them, before any model is loaded.
"""

import hashlib
from pathlib import Path

from engine.errors import ModelError, StudioError
from engine.export.parity.certificate import FILE as CERTIFICATE
from engine.export.parity.certificate import read_certificate
from engine.export.passport import read_passport
from engine.export.source import PASSPORT
from engine.model.adapter_files import BASE, WEIGHTS, write_mark
from engine.workspace import read_object

_AGAIN = "Fetch it again, or ask whoever exported it."


def check_papers(staged: Path) -> None:
    """Look at the passport and the certificate that came with an adapter, where they did.

    The mark of the base's weights in a passport is put beside the adapter, where it is compared with every base that
    the adapter is about to be used over (engine/export/fitting.py).

    Args:
        staged: The adapter's folder, its weights as safetensors.

    Raises:
        ModelError: One is damaged, the weights are not those of the passport, or the passport names another base than
            the adapter does.
    """
    try:
        passport = read_passport(staged)
        if (staged / CERTIFICATE).is_file():
            read_certificate(staged)
    except StudioError as error:
        name = CERTIFICATE if "parity" in error.message else PASSPORT
        raise ModelError(f"{name} in {staged.name} is damaged, or of another version.", _AGAIN) from error
    digest = passport.get("adapter_sha256")
    if isinstance(digest, str) and digest != _digest(staged / WEIGHTS):
        raise ModelError(
            f"The weights in {staged.name} are not those that its passport names: they were changed, or damaged on the "
            "way.",
            _AGAIN,
        )
    base = passport.get("base")
    mark = base.get("weights_mark") if isinstance(base, dict) else None
    if isinstance(mark, str) and mark:
        _note_mark(staged, mark)


def _note_mark(staged: Path, mark: str) -> None:
    if not (staged / BASE).is_file():
        write_mark(staged, mark)
        return
    noted = read_object(staged / BASE).get("mark")
    if noted != mark:
        raise ModelError(
            f"The passport of {staged.name} names other weights of the base model than the adapter itself does.", _AGAIN
        )


def _digest(file: Path) -> str:
    with file.open("rb") as weights:
        return hashlib.file_digest(weights, "sha256").hexdigest()
