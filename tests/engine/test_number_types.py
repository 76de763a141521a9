"""Each tensor that is made names its type: torch's default one is whatever a model that is being loaded has made it."""

import ast
from pathlib import Path

ENGINE = Path(__file__).parents[2] / "engine"
MAKERS = {"empty", "zeros", "ones", "full", "rand", "randn", "linspace", "eye", "tensor"}


def untyped(code: str) -> list[str]:
    """Return the calls that leave the type to torch's default."""
    calls = [each for each in ast.walk(ast.parse(code)) if isinstance(each, ast.Call)]
    return [
        ast.unparse(call)
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in MAKERS
        and ast.unparse(call.func.value) == "torch"
        and not any(word.arg in ("dtype", None) for word in call.keywords)
    ]


def test_every_tensor_names_its_type():
    found = {str(file.relative_to(ENGINE)): untyped(file.read_text()) for file in ENGINE.rglob("*.py")}
    assert {file: calls for file, calls in found.items() if calls} == {}


def test_a_call_without_a_type_is_found():
    assert untyped("torch.empty(3); torch.zeros(2, dtype=torch.float32); torch.tensor([1.0])") == [
        "torch.empty(3)",
        "torch.tensor([1.0])",
    ]
