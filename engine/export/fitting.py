"""Whether a stranger's adapter fits the base that it is said to belong to; looked at before any weight is loaded.

Shapes are read from the headers of files, vocabulary and template from the tokenizers.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import ModelError
from engine.model import hub, starter
from engine.model.adapter_files import WEIGHTS, check_mark
from engine.model.fingerprint import weights_mark
from engine.model.sources import is_hub_id, public_name, resolve
from engine.model.tensor_shapes import tensor_shapes
from engine.recipe import STARTER

if TYPE_CHECKING:
    from engine.model.chat_format import ChatFormat

_OTHER_BASE = "Name the base model that it was trained on."
_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"
_PREFIX = "base_model.model."


def check_fit(adapter: Path, model: str, cache: Path) -> None:
    """Compare an adapter with its base, where the base is on this computer already.

    Args:
        adapter: Its folder, with the weights as safetensors.
        model: The base, as in a recipe.
        cache: The workspace's.

    Raises:
        ModelError: Its shapes, the weights that it was trained over, its vocabulary or its chat template are others.
    """
    home = home_of(model, cache)
    if home is None:
        return
    check_mark(adapter, weights_mark(str(home)))
    _check_shapes(adapter, home, public_name(model))
    _check_words(adapter, home, public_name(model))


def home_of(model: str, cache: Path) -> Path | None:
    """Return the base's folder; None where it would have to be fetched, or cannot be read, which is told when asked."""
    if model == STARTER:
        here = starter.is_cached(cache)
    else:
        here = Path(model).expanduser().is_dir() or (is_hub_id(model) and hub.is_here(model))
    with suppress(ModelError):
        return Path(resolve(model, cache, lambda *_: None)) if here else None
    return None


def _check_shapes(adapter: Path, home: Path, base: str) -> None:
    wanted = _shapes(adapter / WEIGHTS)
    layers: dict[str, tuple[int, ...]] = {}
    for file in home.glob("*.safetensors"):
        layers |= _shapes(file)
    found, missing = False, []
    for name, shape in wanted.items():
        if not name.endswith((_DOWN, _UP)) or len(shape) != 2:
            continue
        module = _module(name)
        layer = layers.get(f"{module}.weight")
        if layer is None:
            missing.append(module)
        elif layer[-1] > 1:  # else it is packed in the file already, and its shape says nothing
            found = True
            ours, theirs = (shape[1], layer[-1]) if name.endswith(_DOWN) else (shape[0], layer[0])
            if ours != theirs:
                raise ModelError(
                    f"{adapter.name} does not fit '{base}': its {module[-80:]} is {ours} wide, the base's {theirs}.",
                    _OTHER_BASE,
                )
    others = [module for module in missing if not module.endswith("lm_head")]  # which may be the embeddings' weight
    if found and others:  # where none is found, the file has other names for them than the loaded model
        raise ModelError(f"{adapter.name} does not fit '{base}', which has no layer {others[0][-80:]}.", _OTHER_BASE)


def _module(name: str) -> str:
    return name.removeprefix(_PREFIX).removesuffix(_DOWN).removesuffix(_UP)


def _shapes(file: Path) -> dict[str, tuple[int, ...]]:
    """The shapes in a safetensors file; none where it is damaged, which is told elsewhere."""
    from safetensors import SafetensorError

    with suppress(SafetensorError, OSError):
        return tensor_shapes(file)
    return {}


def _check_words(adapter: Path, home: Path, base: str) -> None:
    """Compare vocabulary and template, where the adapter has brought a tokenizer."""
    if not (adapter / "tokenizer.json").is_file():
        return
    own, theirs = _chat(adapter), _chat(home)
    if own is None or theirs is None:
        return
    others = _differing(own.tokenizer.get_vocab(), theirs.tokenizer.get_vocab())
    if others:
        raise ModelError(
            f"{adapter.name} was trained with another vocabulary than '{base}' has: {len(others):,} tokens are others, "
            f"such as {others[0][:40]!r}.",
            _OTHER_BASE,
        )
    if own.template != theirs.template:
        raise ModelError(
            f"{adapter.name} was trained with another chat template than '{base}' has, so that it would be asked in a "
            "way that it has not learnt.",
            f"{_OTHER_BASE} To ask it with the base's template all the same, take its tokenizer's files out first.",
        )


def _chat(folder: Path) -> "ChatFormat | None":
    """A folder's tokenizer and template; None where they cannot be used, which is told when somebody asks."""
    from engine.model.chat_format import read_chat_format

    with suppress(ModelError):
        return read_chat_format(folder)
    return None


def _differing(own: Mapping[str, int], theirs: Mapping[str, int]) -> list[str]:
    """Return the tokens that have another number in the other vocabulary, or none."""
    return sorted(token for token, number in own.items() if theirs.get(token) != number)
