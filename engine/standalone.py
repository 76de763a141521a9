"""The endpoint without the window: what ``python -m engine serve`` does.

Keys are those of the workspace, so that one that is revoked in the window is refused here at once. What is asked may
lie in the workspace, or be adapters from anywhere.
"""

import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import ResourceError, StudioError
from engine.serving.endpoint import Endpoint
from engine.serving.keys import ApiKeys
from engine.serving.offers import Offers, OffersFile, everything
from engine.studio import Studio
from engine.workspace import Workspace

LOOPBACK = ("127.0.0.1", "localhost", "::1")
FIRST_KEY = "command line"
"""The name of the key that is made where there is none."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where it listens."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None

    @property
    def address(self) -> str:
        """What programs are told."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.certificate else 'http'}://{host}:{self.port}/v1"


@contextmanager
def studio_with(adapters: Sequence[Path], home: Workspace, base: str) -> Iterator[Studio]:
    """Make a studio in which adapters from anywhere can be asked, for as long as the context lasts.

    Args:
        adapters: Folders or exported .zip files; with none it is the workspace's own studio.
        home: The workspace, or only where base models are kept.
        base: Their base model, where what they name is not found here.

    Raises:
        StudioError: One is no adapter, or unsafe.
    """
    with tempfile.TemporaryDirectory(prefix="ticket-tuner-") as folder:
        studio = Studio(Workspace(Path(folder), cache=home.cache) if adapters else home)
        try:
            for adapter in adapters:
                studio.adapters.bring_in(adapter, adapter.stem, base)
            yield studio
        finally:
            studio.close()


@contextmanager
def opened(home: Workspace, adapters: Sequence[Path], base: str) -> Iterator[Endpoint]:
    """Open the endpoint of a workspace, or of adapters that lie anywhere, for as long as the context lasts.

    Args:
        home: Whose keys count, and whose adapters are offered where none is named.
        adapters: Folders or exported .zip files.
        base: Their base model, where what they name is not found here.

    Raises:
        StudioError: One is no adapter, or unsafe.
    """
    with studio_with(adapters, home, base) as studio:
        all_of_it, kept = everything(studio.playground.voices()), OffersFile(home.root)

        def offers() -> Offers:
            chosen = kept.get()
            return all_of_it if adapters or not chosen.offered else replace(chosen, on=True)

        yield Endpoint(studio.playground, offers, ApiKeys(home.root), studio.endpoint.privacy)


def keep_serving(endpoint: Endpoint, place: Place, new_key: str = "") -> dict[str, Any]:
    """Answer until the program is told to end.

    Args:
        endpoint: What is asked.
        place: Where.
        new_key: Makes a key of this name; one is made in any case where there is none.

    Returns:
        Where it was, and what it offered.

    Raises:
        StudioError: It cannot listen there, or the key cannot be made.
    """
    import uvicorn

    from engine.serving.http.cutting_off import GRACE, run_until_told_to_end
    from engine.serving.http.routes import routes

    if (place.certificate is None) != (place.key is None):
        raise StudioError("The certificate or its key is missing.", "Give --ssl-certfile and --ssl-keyfile together.")
    names = [model.name for model in endpoint.models()]
    with _listening(place) as heard:
        if new_key or not endpoint.keys.all():
            made, secret = endpoint.keys.make(new_key or FIRST_KEY)
            _tell(f"The API key '{made.name}', which is not shown again: {secret}")
        if place.host not in LOOPBACK and place.certificate is None:
            _tell("Caution: without a certificate, keys and tickets can be read on their way through the network.")
        config = uvicorn.Config(
            routes(endpoint),
            ssl_certfile=place.certificate,
            ssl_keyfile=place.key,
            log_level="warning",
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=GRACE,
        )
        server = uvicorn.Server(config)
        _tell(f"Answering at {place.address} as {', '.join(names)} (Ctrl+C ends it).")
        with suppress(KeyboardInterrupt):
            run_until_told_to_end(server, [heard])
    return {"address": place.address, "models": names}


@contextmanager
def _listening(place: Place) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as heard:
        if os.name == "posix":
            heard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            heard.bind((place.host, place.port))
        except OSError as error:
            raise ResourceError(
                f"Port {place.port} on {place.host} cannot be used: {(error.strerror or str(error)).lower()}.",
                "Close the program that uses it, or choose another --port.",
            ) from error
        yield heard


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
