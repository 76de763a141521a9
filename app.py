"""Ticket Tuner's window: arguments -> Studio -> ui -> launch; nothing else."""

import contextlib
import gc
import os
import queue
import secrets
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ui.server.doors.entry import Entry

PORT = 7860


def main(
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the browser.")] = False,
    port: Annotated[int, typer.Option(help="Where the window listens.", min=1, max=65535)] = PORT,
    workspace: Annotated[
        Path | None, typer.Option(help="Where everything is kept.", show_default="your data folder")
    ] = None,
    host: Annotated[
        str, typer.Option(help="The address to listen on; any but this computer needs a login.")
    ] = "127.0.0.1",
    auth: Annotated[
        str,
        typer.Option(
            help="user:password that the window asks for; others on this computer see it in the list of processes.",
            metavar="USER:PASSWORD",
        ),
    ] = "",
    auth_file: Annotated[
        Path | None, typer.Option(help="A file with a line user:password for each who may log in.")
    ] = None,
    ssl_certfile: Annotated[Path | None, typer.Option(help="Certificate, for https.")] = None,
    ssl_keyfile: Annotated[Path | None, typer.Option(help="Its key.")] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="Another name of this computer in the address.", metavar="NAME")
    ] = None,
    no_token: Annotated[
        bool,
        typer.Option(
            "--no-token", help="Ask for no key: everybody who uses this computer can then read and delete everything."
        ),
    ] = False,
    max_upload: Annotated[float, typer.Option(help="Largest upload, in GB.", min=0.001, metavar="GB")] = 8.0,
) -> None:
    """Fine-tune a language model on your own support tickets, in the browser, on this computer."""
    keep_private()
    from engine.errors import StudioError
    from engine.workspace import default_root, keep_to_owner
    from ui.server.doors.entry import read_entry
    from ui.server.second_start import shows_the_first

    keep_to_owner()
    try:
        entry = read_entry(
            host, port, auth, auth_file, ssl_certfile, ssl_keyfile, tuple(allow_host or ()), not no_token
        )
        if shows_the_first((workspace or default_root()).expanduser().resolve(), not no_browser):
            return
        check_port(host, port)
        for caution in entry.cautions:
            print(f"Caution: {caution}", file=sys.stderr)
        run(entry, workspace, max_upload, not no_browser)
    except StudioError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error


def keep_private() -> None:
    """Switch off every look-up outside; called before Gradio and the model libraries are imported."""
    os.environ.update(
        GRADIO_ANALYTICS_ENABLED="False",
        HF_HUB_DISABLE_TELEMETRY="1",
        DISABLE_TELEMETRY="1",
        DO_NOT_TRACK="1",
        TOKENIZERS_PARALLELISM="false",
    )


def check_port(host: str, port: int) -> None:
    """Make sure that nobody else listens there.

    Raises:
        ResourceError: The port is taken or the address is not this computer's.
    """
    from engine.errors import ResourceError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            other = port + 1 if port < 65535 else PORT
            raise ResourceError(
                f"Port {port} on {host} cannot be used: {(error.strerror or str(error)).lower()}.",
                f"Close the program that uses it, or choose another port, such as --port {other}.",
            ) from error


def run(entry: "Entry", workspace: Path | None, max_upload: float, browser: bool) -> None:
    """Open the window and wait until it is told to end."""
    gc.disable()  # a fifth of the start goes into looking for garbage among what is only being imported
    from engine.studio import Studio
    from engine.workspace import Workspace, default_root
    from engine.workspace_lock import WorkspaceLock

    home = Workspace(workspace or default_root())
    ours = WorkspaceLock(home.root)
    ours.take()  # before anything is swept away that another window may be making
    studio = Studio(home)
    passing = fresh_folder(studio.workspace.passing)
    os.environ["GRADIO_TEMP_DIR"] = str(passing)
    from ui.server.quick_start import import_gradio

    import_gradio()
    from engine.serving.http.routes import routes
    from ui.layout import build_app
    from ui.server.doors import behind_doors
    from ui.server.doors.start_token import kept_token, with_token
    from ui.server.doors.uploads import Uploads
    from ui.server.opening import open_browser
    from ui.server.serving import Server, served
    from ui.shell.theme import launch_options

    app, end_streams = served(build_app(studio, passing / secrets.token_hex(8)), bool(entry.users), **launch_options())
    token = kept_token(studio.workspace.root) if entry.asks_token else ""
    window, endpoint = Uploads(app, passing, max_upload), routes(studio.endpoint.endpoint)
    server = Server(behind_doors(window, entry, token, endpoint), end_streams, entry)
    asked = requests_to_end()
    try:
        server.start()
        gc.freeze()
        gc.enable()
        shown = with_token(entry.address, token) if token else entry.address
        print(f"Ticket Tuner is open at {shown} (Ctrl+C ends it).", file=sys.stderr)
        ours.announce(entry.address, has_key=bool(token))
        if browser:
            open_browser(studio.workspace.root, entry.address, token)
        wait_for_one(asked)
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, signal.SIG_IGN)  # it ends; the default would cut that short
        studio.close()
        server.close()
        shutil.rmtree(passing, ignore_errors=True)
        ours.give_back()


def fresh_folder(folder: Path) -> Path:
    """Empty the folder through which uploads and downloads pass, so that no export stays behind."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    folder.chmod(0o700)
    return folder


def requests_to_end() -> queue.SimpleQueue[int]:
    """Return where Ctrl+C and requests to terminate arrive from now on, as numbers of signals."""
    asked: queue.SimpleQueue[int] = queue.SimpleQueue()
    for name in (signal.SIGINT, signal.SIGTERM):
        # A second signal comes in the middle of what the first one does; a lock would wait for itself there.
        signal.signal(name, lambda number, _: asked.put(number))
    return asked


def wait_for_one(asked: queue.SimpleQueue[int]) -> None:
    """Wait for the first of them; in short waits, as Windows hears no Ctrl+C in a long one."""
    while True:
        with contextlib.suppress(queue.Empty):
            asked.get(timeout=1.0)
            return


def start() -> None:
    """Read the command line and run; also what an installed package's ``ticket-tuner`` calls."""
    from engine.leaving import leaving_at_the_end

    with leaving_at_the_end():
        typer.run(main)


if __name__ == "__main__":
    start()
