"""Data sets of the Hugging Face hub: what one holds, and its files on this computer.

The files come into the hub's own cache, where other programs of the person find them too, and a fetch that was called
off goes on where it was. What is in them, the ordinary readers tell: nothing of the hub is ever run.
"""

import errno
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import ResourceError, StudioError, TicketsError
from engine.task import Report, Task
from engine.tickets.importing.hub_listing import (
    MOST_FILES,
    FetchedData,
    HubData,
    Part,
    Reference,
    is_script,
    parts_of,
    reference,
)
from engine.workspace import explain_disk_error

if TYPE_CHECKING:
    from huggingface_hub import DatasetInfo

_CONVERTED = "refs/convert/parquet"
"""Where the hub keeps its own copies in Parquet (https://huggingface.co/docs/dataset-viewer/parquet)."""
_OF_THE_DISK = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS))
_SPARE = 1 << 30
"""Bytes of the disk that a fetch leaves free."""


class HubDataService:
    """What comes from the hub to be learnt from; holds no state."""

    def look_up(self, text: str, token: str = "") -> Task[tuple[HubData, Part]]:
        """Ask the hub what a data set holds, in the background.

        Args:
            text: ``owner/name``, ``owner/name@revision:part``, or the address of its page.
            token: The person's own; empty takes the one of ``hf auth login`` or HF_TOKEN. It is forgotten when used.

        Returns:
            A task whose result is what the hub says, and the part that is meant; it fails with a TicketsError.
        """
        once = [token]

        def action(task: Task[tuple[HubData, Part]]) -> tuple[HubData, Part]:
            wanted = reference(text)
            task.report(f"Asking the model hub for {wanted.id}")
            found = _looked_up(wanted, once.pop() or None)
            return found, found.part(wanted.part)

        return Task("Asking the model hub", action)

    def fetch(self, found: HubData, part: str = "", token: str = "") -> Task[FetchedData]:
        """Fetch the files of a part, in the background; bytes are told, and it can be called off.

        Args:
            found: What :meth:`look_up` told.
            part: The name of one of its parts; the usual one when empty.
            token: As there.
        """
        once = [token]

        def action(task: Task[FetchedData]) -> FetchedData:
            chosen = found.part(part)
            return FetchedData(_fetched(found, chosen, once.pop() or None, task.report), found.record(chosen))

        return Task(f"Fetching {found.id}", action)


def _looked_up(wanted: Reference, token: str | None) -> HubData:
    info = _asked(wanted, wanted.revision, token)
    card: dict[str, Any] = vars(info.card_data) if info.card_data else {}
    parts = parts_of(_sizes(info), card)
    if not parts and not wanted.revision:
        try:
            info = _asked(wanted, _CONVERTED, token)
            parts = parts_of(_sizes(info), {})
        except TicketsError:
            parts = ()
    if not parts:
        script = is_script(_sizes(info), wanted.id)
        why = "only a program that would fetch its data, which is not run here" if script else "no file that is read"
        raise TicketsError(f"{wanted.id} holds {why}.", "Read are Parquet, Arrow, JSON, CSV, XLSX, XML and mbox files.")
    licence = card.get("license") or ""
    named = card.get("license_name") if licence == "other" else None
    told = ", ".join(map(str, licence)) if isinstance(licence, list) else str(named or licence)
    return HubData(info.id, info.sha or wanted.revision or "main", told[:100], parts)


def _sizes(info: "DatasetInfo") -> dict[str, int]:
    return {file.rfilename: file.size or 0 for file in info.siblings or ()}


def _asked(wanted: Reference, revision: str, token: str | None) -> "DatasetInfo":
    """Ask the hub for the files of a data set, and whether they may be had.

    Raises:
        TicketsError: In words.
    """
    from huggingface_hub import HfApi

    from engine.model.hub import PATIENCE

    hub = HfApi(token=token)
    try:
        info = hub.dataset_info(wanted.id, revision=revision or None, timeout=PATIENCE, files_metadata=True)
        if info.gated:
            hub.auth_check(info.id, repo_type="dataset")
        return info
    except Exception as error:
        raise _explained(error, wanted.id, revision, bool(token)) from error


def _fetched(found: HubData, part: Part, token: str | None, report: Report) -> tuple[Path, ...]:
    from huggingface_hub import HfApi, constants

    from engine.model.fetching import fetched

    if len(part.files) > MOST_FILES:
        raise TicketsError(
            f"{found.id} has {len(part.files):,} files in '{part.name}'; at most {MOST_FILES:,} are fetched.",
            "Choose another part of it.",
        )
    cache = Path(constants.HF_HUB_CACHE)
    _check_room(cache, part.bytes)
    hub = HfApi(token=token)

    def fetch(bar: type[Any]) -> tuple[Path, ...]:
        names = (name for name, _ in part.files)
        return tuple(
            Path(hub.hf_hub_download(found.id, name, repo_type="dataset", revision=found.commit, tqdm_class=bar))
            for name in names
        )

    try:
        blobs = cache / f"datasets--{found.id.replace('/', '--')}" / "blobs"
        return fetched(fetch, blobs, found.id, part.bytes, report)
    except StudioError:
        raise
    except Exception as error:
        raise _explained(error, found.id, found.commit, bool(token)) from error


def _check_room(folder: Path, size: int) -> None:
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(place).free
    if free < size + _SPARE:
        raise ResourceError(
            f"The data set takes {size / 1e9:.1f} GB, and the disk with {place} has {free / 1e9:.1f} GB free.",
            "Free some space, or set HF_HOME to a folder on another disk.",
        )


def _explained(error: Exception, identifier: str, revision: str, with_token: bool) -> StudioError:
    """Say in words why the hub did not give a data set."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    status = error.response.status_code if isinstance(error, HfHubHTTPError) and error.response is not None else 0
    if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
        return explain_disk_error(error, Path(identifier))
    page = f"https://huggingface.co/datasets/{identifier}"
    told: Sequence[str]
    if isinstance(error, GatedRepoError):
        told = (
            f"{identifier} is gated: its owner asks you to accept conditions first.",
            f"Accept them on {page}, then give your token, or type 'hf auth login' once in a terminal.",
        )
    elif isinstance(error, RevisionNotFoundError):
        told = (f"{identifier} has no revision '{revision[:60]}'.", "Leave it out for the newest one.")
    elif status == 401 and not isinstance(error, RepositoryNotFoundError):
        told = ("The hub does not take this token.", "Make another one on https://huggingface.co/settings/tokens.")
    elif isinstance(error, RepositoryNotFoundError):
        whose = "of an account that may see it" if with_token else "of your account"
        told = (
            f"The hub has no data set '{identifier}' that everybody may see.",
            f"Check the spelling, and that it is no model; a private one needs a token {whose}.",
        )
    elif isinstance(error, OfflineModeIsEnabled):
        told = ("This computer is told to stay offline (HF_HUB_OFFLINE).", "Start without it, or drop the files here.")
    elif status:
        told = (f"The hub does not give {identifier} just now (it says {status}).", "Try again in a few minutes.")
    else:
        told = (
            f"{identifier} has to be fetched, and the hub cannot be reached.",
            "Check the connection, or drop the files of the data set here.",
        )
    return TicketsError(*told)
