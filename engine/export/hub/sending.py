"""Send an export to the model hub, privately unless the person says otherwise; and say beforehand what would go.

What may go is a list of names: whatever else lies in the folder, tickets above all, stays. The token is the person's
own; it is handed to the hub's library and kept nowhere.
"""

import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from engine.errors import ModelError, ResourceError, StudioError
from engine.export.files import TOKENIZER_FILES
from engine.export.passport import FILE as PASSPORT
from engine.export.records import Sending, Sent
from engine.meanwhile import meanwhile
from engine.model.adapter_config import CONFIG
from engine.model.adapter_files import BASE
from engine.model.fetching import amount
from engine.model.fingerprint import INDEX
from engine.model.sources import is_hub_id
from engine.scratch import scratch
from engine.task import Report

if TYPE_CHECKING:
    from huggingface_hub import HfApi

NAMES = frozenset(
    {
        *TOKENIZER_FILES,
        *("README.md", "usage.py", "recipe.json", PASSPORT, "parity.json", CONFIG, BASE),
        *("config.json", "generation_config.json", INDEX, "Modelfile"),
    }
)
"""Files that may go, by name."""
ENDINGS = frozenset({".safetensors", ".gguf"})
"""And weights, by ending."""
_LOG_IN = "Make a token that may write, on the hub's page of your account, and give it here (or type 'hf auth login')."


def plan(folder: Path) -> Sending:
    """Return what of an export would be sent, and what would stay; asks nobody.

    Args:
        folder: An export's folder.

    Raises:
        StudioError: It holds no weights: it is no export.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    names = {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
    going = {name: size for name, size in names.items() if may_go(name)}
    if not any(PurePosixPath(name).suffix in ENDINGS for name in going):
        raise StudioError(f"{folder.name} holds no weights to send.", "Name the folder or .zip of an export.")
    return Sending(tuple(going.items()), tuple(name for name in names if name not in going))


def may_go(name: str) -> bool:
    """Whether a file of an export may be sent, by its name relative to the export's folder."""
    path = PurePosixPath(name)
    return len(path.parts) == 1 and (path.name in NAMES or path.suffix in ENDINGS)


def send(
    folder: Path, repository: str, token: str | None, report: Report, *, private: bool = True, endpoint: str = ""
) -> Sent:
    """Send an export, one file after the other.

    Args:
        folder: The export's folder.
        repository: Where to: 'owner/name'; made where there is none.
        token: The person's own, which may write; None takes the one of ``hf auth login`` or HF_TOKEN.
        report: Told what is sent and how many of its bytes; raises Cancelled.
        private: Whether nobody else may see it. One that is there and public is refused then.
        endpoint: The hub's address; the usual one when empty.

    Returns:
        What was sent, and where it is.

    Raises:
        Cancelled: ``report`` said so; files that were sent whole stay there.
        StudioError: No token, no right to write, no network; in words.
    """
    if not is_hub_id(repository):
        raise ModelError(f"'{repository[:80]}' is no place on the hub.", "Write it as your-name/name-of-the-model.")
    sending = plan(folder)
    from huggingface_hub import HfApi

    hub = HfApi(endpoint=endpoint or None, token=token or None)
    try:
        _prepare(hub, repository, report, private)
        commit = ""
        for name, size in sending.files:
            commit = _send_file(hub, repository, folder / name, name, size, report)
    except StudioError:
        raise
    except Exception as error:
        raise _explained(error, repository) from error
    return Sent(repository, f"{hub.endpoint}/{repository}", commit, private, sending.files)


def opened(export: Path, workspace: Path, work: Callable[[Path], Any]) -> Any:
    """Call ``work`` with an export's folder; a .zip is unpacked for as long as that takes, without what may not go.

    Args:
        export: The folder or the .zip.
        workspace: A folder for what is unpacked.
        work: Gets the folder.

    Raises:
        StudioError: It is neither.
    """
    if export.is_dir():
        return work(export)
    if not zipfile.is_zipfile(export):
        raise StudioError(f"{export} is neither the folder nor the .zip of an export.", "Export it first.")
    with scratch(workspace, "sending") as temporary, zipfile.ZipFile(export) as archive:
        for name in archive.namelist():
            if may_go(name):
                archive.extract(name, temporary)
        return work(temporary)


def _prepare(hub: "HfApi", repository: str, report: Report, private: bool) -> None:
    """Make the repository, or look at the one that is there."""
    from huggingface_hub.errors import RepositoryNotFoundError

    report(f"Asking the model hub for {repository}", None)
    with suppress(RepositoryNotFoundError):
        if private and not hub.model_info(repository).private:
            raise StudioError(
                f"{repository} is on the hub already, and everybody may see it.",
                "Name another one, or say that it may be public.",
            )
    hub.create_repo(repository, private=private, exist_ok=True)


def _send_file(hub: "HfApi", repository: str, file: Path, name: str, size: int, report: Report) -> str:
    """Send a file in a thread of its own, and return the commit; one that is called off ends at its next piece."""
    read = [0]

    def look() -> None:
        report(f"Sending {name} ({amount(read[0], size)})", min(1.0, read[0] / max(1, size)))

    def upload(still_wanted: Callable[[], None]) -> str:
        with _Watched(file, read, still_wanted) as watched:
            done = hub.upload_file(
                path_or_fileobj=watched, path_in_repo=name, repo_id=repository, commit_message=f"Add {name}"
            )
        return done.oid

    look()
    return meanwhile(upload, look, "send")


class _Watched(io.BufferedReader):
    """A file that says how much of it has been read, and refuses to be read on once nobody wants that."""

    def __init__(self, file: Path, read: list[int], still_wanted: Callable[[], None]) -> None:
        super().__init__(io.FileIO(file))
        self._read, self._still_wanted = read, still_wanted

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, and note how far."""
        self._still_wanted()
        self._read[0] = self.tell()
        return super().read(size)


def _explained(error: Exception, repository: str) -> StudioError:
    """Say what the hub's library has raised, without the token, which some of its messages may hold."""
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError, OfflineModeIsEnabled

    status = getattr(getattr(error, "response", None), "status_code", 0)
    if isinstance(error, LocalTokenNotFoundError) or status == 401:
        return ModelError("The model hub does not know this token, or none was given.", _LOG_IN)
    if status == 403:
        return ModelError(f"This token may not write to {repository}.", _LOG_IN)
    if isinstance(error, OSError) and error.errno:
        return ResourceError(f"A file could not be read ({error.strerror}).", "Export it again.")
    if isinstance(error, HfHubHTTPError) and status:
        return ModelError(f"The model hub has refused it (status {status}).", "Try again later.")
    if isinstance(error, OfflineModeIsEnabled):
        return ModelError("This computer is told to stay offline (HF_HUB_OFFLINE).", "Start without it.")
    return ModelError(f"The model hub could not be reached ({type(error).__name__}).", "Check the connection.")
