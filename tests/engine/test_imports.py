"""The arrows of the design: who may import whom."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "transformers", "peft", "trl", "bitsandbytes", "datasets", "accelerate", "gradio"}

GROUND = {
    "errors",
    "meanwhile",
    "identity",
    "reasoning",
    "damage",
    "task",
    "scratch",
    "workspace",
    "locks",
    "recipe",
    "hardware",
}
GROUND |= {"meanwhile", "turns", "typed_numbers", "interpreter"}
ALLOWED = {
    "errors": set(),
    "identity": set(),
    "interpreter": set(),
    "reasoning": set(),
    "hardware": set(),
    "turns": set(),
    "typed_numbers": set(),
    "setting": {"errors", "typed_numbers"},
    "layer_names": {"errors"},
    "recipe": {"errors", "setting", "layer_names"},
    "presets": {"recipe"},
    "damage": {"errors"},
    "task": {"errors"},
    "meanwhile": set(),
    "scratch": {"identity"},
    "workspace": {"errors", "scratch"},
    "locks": {"workspace"},
    "workspace_lock": {"errors", "locks", "workspace"},
    "saved_recipe": {"errors", "recipe", "workspace"},
    "read_entries": {"damage", "workspace"},
    "tickets": GROUND - {"recipe", "hardware"},
    "model": GROUND,
    "base_holder": {"errors", "recipe", "task", "model"},
    "training": GROUND | {"tickets", "model", "base_holder"},
    "chat": GROUND | {"tickets", "model"},
    "verdict": GROUND | {"tickets", "model", "training", "chat"},
    "export": GROUND | {"tickets", "model", "training", "base_holder", "chat", "verdict"},
    "serving": GROUND | {"tickets", "chat"},
}
"""Part of the engine -> what it may import; the others see everything."""


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


def targets(file: Path):
    """Yield the modules that a file imports, the names that it imports from packages among them."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


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
            if target.split(".")[0] not in {package, *ALLOWED[package]}:
                wrong.append(f"{file.relative_to(ROOT)} imports {module}")
    assert wrong == []


def test_no_modules_import_one_another_in_a_circle():
    """Neither when they are loaded, nor inside functions, nor for types alone."""
    files = [file for part in ("engine", "ui") for file in (ROOT / part).rglob("*.py")]
    names = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in files}
    arrows = {name: {other for other in targets(file) if other in names} - {name} for name, file in names.items()}
    graph = TopologicalSorter(arrows)
    graph.prepare()  # raises CycleError, which names them


def test_ui_imports_from_engine_only_studio_and_plain_records():
    records = {"studio", "damage", "errors", "hardware", "presets", "question_sets", "recipe", "setting", "task"}
    records |= {"leaving", "turns", "typed_numbers", "workspace", "workspace_lock"}
    records |= {
        *(
            "training.early_stopping",
            "training.forgetting.alarm",
            "training.data.learn_view",
            "training.data.token_counts",
        ),
        *("training.memory.cards", "training.memory.estimate", "training.memory.gpu"),
        *("training.runs.events", "training.runs.history", "training.runs.progress", "training.runs.status"),
        *("export.records", "verdict.facts.fact", "model.catalogue", "chat.heldout", "chat.records"),
        *(
            "verdict.blind",
            "verdict.coach",
            "verdict.intervals",
            "verdict.leak.certificate",
            "verdict.paper",
            "verdict.records",
            "verdict.repeated",
            "verdict.risk",
            "verdict.replies",
            "verdict.transcript",
        ),
        *("tickets.conversation", "tickets.dataset.files", "tickets.dataset.stored"),
        *("tickets.languages", "tickets.library", "tickets.options", "tickets.overrides"),
        *("tickets.dataset.edits", "tickets.dataset.erasure", "tickets.dataset.provenance", "tickets.preparing.report"),
        *("tickets.importing.columns", "tickets.importing.detect", "tickets.importing.hub_listing"),
        *("tickets.privacy.countries", "tickets.privacy.review"),
        *("serving.drafting", "serving.keys", "serving.offers", "serving.http.answers", "serving.http.routes"),
        *("serving.refusals", "serving.http.cutting_off"),
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
        "studio.snapshot(); studio.runs.all(); studio.tickets.all(); studio.playground.voices()\n"
        "studio.recipes.presets(); studio.recipes.catalogue()\n"
        f"print([name for name in {sorted(HEAVY)!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_window_opens_without_readers_models_and_numbers():
    program = "import sys, engine.studio, ui.tickets.views.listing; print([name for name in sys.modules])"
    seen = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for late in (
        "torch",
        "transformers",
        "numpy",
        "engine.tickets.importing.format_plan",
        "engine.tickets.cleaning.message",
    ):
        assert f"'{late}'" not in seen
