"""A model hub on this computer: as much of its protocol as fetching and sending a model takes, over real HTTP."""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONVERTED = "fedcba9876543210fedcba9876543210fedcba98"
"""The commit of the hub's own copies of a data set."""


@dataclass
class FakeData:
    """A data set on the hub."""

    files: dict[str, bytes]
    """Name inside of the repository -> what is in it."""
    card: dict[str, Any] = field(default_factory=dict)
    gated: bool = False
    private: bool = False
    converted: dict[str, bytes] = field(default_factory=dict)
    """The hub's own copies, on refs/convert/parquet."""


class FakeHub:
    """Serves folders as models.

    Args:
        models: Id -> folder.
        data: Id -> data set.
    """

    def __init__(self, models: dict[str, Path], data: dict[str, FakeData] | None = None) -> None:
        self.models = models
        self.data = data or {}
        self.asked: list[str] = []
        self.go = threading.Event()
        """Cleared, it holds the second half of each file of weights, or in Parquet, back."""
        self.go.set()
        self.address = ""
        self.sent: dict[str, dict[str, bytes]] = {}
        """What was sent: repository -> name -> bytes."""
        self.private: dict[str, bool] = {}
        """Repositories that somebody has made."""
        self.tokens: set[str] = set()
        """Those that may write; everybody may where there are none."""

    def take(self, path: str, body: bytes, token: str) -> tuple[int, object]:
        """Take what is sent; returns status and JSON. The steps are: make it, ask how to send each file, send it."""
        if self.tokens and token not in self.tokens:
            return 401, {"error": "Invalid credentials"}
        if path == "/api/repos/create":
            asked = json.loads(body)
            repository = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
            self.private.setdefault(repository, asked.get("private", False) or asked.get("visibility") == "private")
            return 200, {"url": f"{self.address}/{repository}", "name": repository}
        if path == "/api/validate-yaml":  # of a card
            return 200, {"errors": [], "warnings": []}
        repository = "/".join(path.split("/")[3:5])
        if "/preupload/" in path:
            named = json.loads(body)["files"]
            return 200, {
                "files": [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in named]
            }
        for line in body.splitlines():
            row = json.loads(line)
            if row["key"] == "file":
                content = base64.b64decode(row["value"]["content"])
                self.sent.setdefault(repository, {})[row["value"]["path"]] = content
        return 200, {"commitUrl": f"{self.address}/{repository}/commit/{COMMIT}", "commitOid": COMMIT}

    def files(self, model: str) -> dict[str, int]:
        return {file.name: file.stat().st_size for file in sorted(self.models[model].iterdir()) if file.is_file()}

    def answer(self, path: str, token: str) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers."""
        parts = path.partition("?")[0].strip("/").split("/")
        if "datasets" in parts[:2]:
            return self.answer_of_data(parts[parts.index("datasets") + 1 :], token)
        about = parts[:2] == ["api", "models"]
        model = "/".join(parts[2:4] if about else parts[:2])
        if about and model in self.private:
            return 200, json.dumps({"id": model, "sha": COMMIT, "private": self.private[model]}).encode(), {}
        if model not in self.models:
            return 404, b"", {"X-Error-Code": "RepoNotFound"}
        if not about:
            body = (self.models[model] / parts[-1]).read_bytes()
            return 200, body, {"ETag": f'"{abs(hash((model, parts[-1]))):040x}"', "X-Repo-Commit": COMMIT}
        found: object = [
            {"type": "file", "path": name, "size": size, "oid": f"{abs(hash((model, name))):040x}"}
            for name, size in self.files(model).items()
        ]
        if "tree" not in parts:
            siblings = [{"rfilename": name, "size": size} for name, size in self.files(model).items()]
            found = {"id": model, "modelId": model, "sha": COMMIT, "gated": False, "siblings": siblings}
        return 200, json.dumps(found).encode(), {"Content-Type": "application/json"}

    def answer_of_data(self, parts: list[str], token: str) -> tuple[int, bytes, dict[str, str]]:
        """Answer what is asked of a data set: what it holds, whether it may be had, or one of its files."""
        known, asked = self.data.get("/".join(parts[:2])), parts[2:3]
        if token and token not in self.tokens:
            return 401, b"", {"X-Error-Message": "Invalid credentials in Authorization header"}
        if known is None or (known.private and not token):
            return 404, b"", {"X-Error-Code": "RepoNotFound"}
        if known.gated and asked != ["revision"] and asked and not token:
            return 403, b"", {"X-Error-Code": "GatedRepo"}
        revision = unquote(parts[3]) if len(parts) > 3 else "main"
        files = known.converted if revision in ("refs/convert/parquet", CONVERTED) else known.files
        if not files or revision not in ("main", COMMIT, "refs/convert/parquet", CONVERTED):
            return 404, b"", {"X-Error-Code": "RevisionNotFound"}
        commit = CONVERTED if files is known.converted else COMMIT
        if asked == ["resolve"]:
            body = files["/".join(parts[4:])]
            return 200, body, {"ETag": f'"{sha256(body).hexdigest()}"', "X-Repo-Commit": commit}
        siblings = [{"rfilename": name, "size": len(body)} for name, body in files.items()]
        told = {"id": "/".join(parts[:2]), "sha": commit, "gated": "auto" if known.gated else False}
        return 200, json.dumps({**told, "siblings": siblings, "cardData": known.card}).encode(), {}


@contextmanager
def serving(hub: FakeHub) -> Iterator[FakeHub]:
    """Answer for as long as the context lasts; its ``address`` is known then."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.asked.append(f"{self.command} {self.path}")
            status, body, headers = hub.answer(self.path, self._token())
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "GET":
                return
            half = len(body) // 2 if self.path.endswith((".safetensors", ".parquet")) else len(body)
            self.wfile.write(body[:half])
            self.wfile.flush()
            hub.go.wait(60)
            self.wfile.write(body[half:])

        do_HEAD = do_GET

        def do_POST(self) -> None:
            hub.asked.append(f"{self.command} {self.path}")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = hub.take(self.path.partition("?")[0], body, self._token())
            told = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def _token(self) -> str:
            return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        hub.go.set()
        server.shutdown()
        server.server_close()


def run_with(address: str, home: Path, code: str) -> "subprocess.CompletedProcess[str]":
    """Run Python that takes ``address`` for the hub, since the library reads that when it is imported."""
    environment = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0"}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
