"""What 'prepare' of the command line reads, and what it says of it beforehand: files, or data sets of the hub."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.console import follow, say
from engine.errors import TicketsError
from engine.tickets.importing.hub_listing import is_reference

if TYPE_CHECKING:
    from engine.studio import Studio
    from engine.tickets.importing.detect import Detection


def files_of(studio: "Studio", words: Sequence[str]) -> tuple[list[Path], dict[str, str]]:
    """Return the files that are meant, and where they came from on the hub; what lies there is fetched first.

    Args:
        studio: Fetches.
        words: Paths, or one data set of the hub as ``hf:owner/name``, ``@revision`` and ``:part`` if need be.

    Raises:
        TicketsError: The data set cannot be had, or is named beside others.
    """
    if not any(map(is_reference, words)):
        return [Path(word) for word in words], {}
    if len(words) > 1:
        raise TicketsError("A data set of the hub is prepared alone.", "Name it without other files.")
    found, part = follow(studio.hub_data.look_up(words[0]))
    others = ", ".join(other.name for other in found.parts if other.name != part.name)
    say(
        f"{found.id}: '{part.name}' is {len(part.files):,} files of {part.bytes / 1e6:,.1f} MB, licence "
        f"{found.licence or 'not named'}" + (f"; other parts are {others}" if others else "")
    )
    fetched = follow(studio.hub_data.fetch(found, part.name))
    return list(fetched.files), fetched.record


def country_of(found: "Detection", given: str | None) -> tuple[str | None, str]:
    """Return whose telephone numbers are known, as the window would guess it, and the sentence that says so."""
    from engine.tickets.privacy.countries import COUNTRIES

    if given is not None:
        return (None, "") if given.strip().casefold() in ("", "none") else (given, "")
    code, evidence = found.country, found.country_evidence
    if not code:
        return None, "No country is told by the files: telephone numbers without '+' may stay. Name it with --country."
    name = COUNTRIES.get(code, code)
    return code, f"Telephone numbers are read as in {name} ({code}), guessed from {evidence}; --country none for none."


def who_writes(found: "Detection") -> str:
    """Say who is taken for the support, where the files do not; empty where they do."""
    if not found.writers:
        return ""
    sides: dict[bool, list[str]] = {True: [], False: []}
    for writer in found.writers:
        sides[writer.ours].append(f"{writer.name} ({writer.messages:,})")
    ours, others = (", ".join(names[:10]) + (" and more" if len(names) > 10 else "") for names in sides.values())
    return f"The support is: {ours or 'nobody'}; customers are: {others or 'nobody'}. --agents NAME,... says otherwise."
