"""The arrows of the design: who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAYERS = [
    *(
        "errors",
        "reasoning",
        "damage",
        "identity",
        "scratch",
        "task",
        "workspace",
        "tickets",
        "model",
        "base_holder",
        "training",
        "chat",
        "export",
    ),
    "studio",
]
HEAVY = {"torch", "transformers", "peft", "trl", "bitsandbytes", "datasets", "accelerate", "gradio"}

ALLOWED = {
    "errors": set(),
    "reasoning": set(),
    "damage": {"errors"},
    "task": {"errors"},
    "identity": set(),
    "scratch": {"identity"},
    "workspace": {"errors", "scratch"},
    "locks": {"workspace"},
    "workspace_lock": {"errors", "locks", "workspace"},
    "tickets": {"errors", "reasoning", "damage", "scratch", "task", "workspace"},
    "model": {"errors", "reasoning", "scratch", "workspace", "training.recipe", "chat.adapters"},
    "base_holder": {"errors", "model", "training.recipe"},
    "training": {"base_holder", "identity", "locks", "errors", "reasoning", "task", "workspace", "model"}
    | {"tickets.dataset", "tickets.library", "tickets.lines"},
    "chat": {"errors", "workspace", "tickets.lines", "model"},
    "export": {"errors", "scratch", "workspace", "model", "training"},
}


def imports(file: Path):
    """Yield (module, under TYPE_CHECKING or inside a function)."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    lazy = set()
    for node in ast.walk(tree):
        typing_only = isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        if typing_only or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lazy |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, id(node) in lazy
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in lazy


def test_no_arrow_points_the_wrong_way():
    wrong = []
    for file in sorted((ROOT / "engine").rglob("*.py")):
        package = file.relative_to(ROOT / "engine").parts[0].removesuffix(".py")
        for module, _ in imports(file):
            if module == "gradio" or module.split(".")[0] == "ui":
                wrong.append(f"{file.name} imports {module}")
            if package not in ALLOWED or not module.startswith("engine."):
                continue
            target = module.removeprefix("engine.")
            if target.split(".")[0] != package and not any(
                target == allowed or target.startswith(f"{allowed}.") for allowed in ALLOWED[package]
            ):
                wrong.append(f"{file.relative_to(ROOT)} imports {module}")
    assert wrong == []


def test_ui_imports_from_engine_only_studio_and_plain_records():
    records = {"studio", "damage", "errors", "task", "workspace", "training.events", "training.recipe"}
    records |= {"training.status", "training.history", "workspace_lock"}
    records |= {
        "training.progress",
        "training.estimate",
        "training.cards",
        "training.memory",
        "training.ending",
        "training.learn_view",
        "training.token_counts",
        "model.catalogue",
        "model.device",
    }
    records |= {
        "tickets.detect",
        "tickets.languages",
        "tickets.options",
        "tickets.report",
        "tickets.countries",
        "tickets.overrides",
        "tickets.edits",
        "tickets.library",
        "tickets.origin",
        "tickets.review",
        "tickets.columns",
        "chat.records",
    }
    wrong = []
    for file in [*(ROOT / "ui").rglob("*.py"), ROOT / "app.py"]:
        for module, _ in imports(file):
            if module.startswith("engine") and module.removeprefix("engine.") not in records:
                wrong.append(f"{file.name} imports {module}")
    assert wrong == []


def test_tickets_knows_nothing_of_torch():
    for file in (ROOT / "engine" / "tickets").rglob("*.py"):
        assert not HEAVY & {module.split(".")[0] for module, _ in imports(file)}, file


def test_making_a_studio_imports_nothing_heavy(tmp_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from engine.studio import Studio; from engine.workspace import Workspace\n"
        f"studio = Studio(Workspace(Path({str(tmp_path)!r})))\n"
        "studio.snapshot(); studio.runs(); studio.tickets.all(); studio.voices()\n"
        "studio.presets(); studio.catalogue()\n"
        f"print([name for name in {sorted(HEAVY)!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_window_opens_without_readers_models_and_numbers():
    program = "import sys, engine.studio, ui.views.tickets; print([name for name in sys.modules])"
    seen = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for late in ("torch", "transformers", "numpy", "engine.tickets.planning", "engine.tickets.cleaning"):
        assert f"'{late}'" not in seen
