"""Whether a folder holds a whole model that can be a base here: looked at before any weight is loaded.

A stranger may have written every file of it. Configuration and tokenizer are read as text, weights by their headers;
the model that the configuration describes is built without memory, and its shapes are compared with theirs.
"""

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from engine.errors import ModelError, StudioError
from engine.model.errors import explain
from engine.model.fingerprint import INDEX, SINGLE
from engine.model.libraries import import_all
from engine.model.loading import refuse_packed
from engine.model.sources import loading_options
from engine.model.tensor_shapes import tensor_shapes
from engine.recipe import Recipe
from engine.task import Report
from engine.workspace import read_object

CONFIG = "config.json"
MAX_TEXT_BYTES = 1_000_000
MAX_INDEX_BYTES = 30_000_000
"""37,000 tensors of a mixture of experts are 4 MB of names."""
_MOST = {"num_hidden_layers": 1000, "hidden_size": 2**17, "intermediate_size": 2**20, "vocab_size": 2**23}
"""Beyond any model that there is: a description that asks for more is no model's, and building it would not end."""
_FETCH = "Fetch or export it again."
_PICK = "Pick the folder that save_pretrained or an export has written."


def check_whole_model(folder: Path, report: Report) -> None:
    """Make sure that a folder's files belong together and can be a base here.

    Args:
        folder: The model's.
        report: Told what is looked at; raises Cancelled.

    Raises:
        ModelError: A file is missing, damaged or a pickle; the weights have other shapes than the configuration says;
            the vocabulary has more tokens than the model; or there is no use for its chat template. In words.
        Cancelled: ``report`` said so.
    """
    report("Looking at its configuration", None)
    config = _config(folder)
    report("Looking at the shapes of its weights", None)
    _check_shapes(folder, config, shapes_of(folder))
    report("Looking at its vocabulary and chat template", None)
    _check_words(folder, config)


def _config(folder: Path) -> Any:
    """Read the configuration, if transformers knows such a model."""
    from transformers import AutoConfig

    file = folder / CONFIG
    if not file.is_file():
        raise ModelError(f"{folder.name} holds no model ({CONFIG} is missing).", _PICK)
    if file.stat().st_size > MAX_TEXT_BYTES:
        raise ModelError(f"{CONFIG} in {folder.name} is longer than any.", _PICK)
    try:
        values = read_object(file)
    except StudioError as error:
        raise ModelError(f"{CONFIG} in {folder.name} is damaged.", _FETCH) from error
    _check_sizes(values, folder.name)
    import_all()
    try:
        config = AutoConfig.from_pretrained(folder, **loading_options())
        refuse_packed(config, Recipe(model=str(folder)))
    except Exception as error:
        raise explain(error, str(folder)) from error
    return config


def _check_sizes(values: Mapping[str, Any], name: str) -> None:
    for part in (values, *(part for part in values.values() if isinstance(part, dict))):
        for field, most in _MOST.items():
            value = part.get(field, 1)
            if not isinstance(value, int) or not 0 < value <= most:
                raise ModelError(
                    f"{CONFIG} in {name} says {field} {str(value)[:20]}; models have 1 to {most:,}.", _FETCH
                )


def shapes_of(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor in a checkpoint, from the headers of its files.

    Raises:
        ModelError: There are no safetensors, or one is missing, cut off, or something else under that name.
    """
    from safetensors import SafetensorError

    found: dict[str, tuple[int, ...]] = {}
    for name in _weight_files(folder):
        try:
            found |= tensor_shapes(folder / name)
        except (SafetensorError, OSError, ValueError) as error:
            raise ModelError(
                f"{name} in {folder.name} was cut off, or is no safetensors file under that name.", _FETCH
            ) from error
    return found


def _weight_files(folder: Path) -> list[str]:
    index = folder / INDEX
    if not index.is_file():
        if (folder / SINGLE).is_file():
            return [SINGLE]
        pickled = any(folder.glob("pytorch_model*.bin"))
        why = "its weights are pickles (.bin), which could run code" if pickled else f"{SINGLE} is missing"
        raise ModelError(f"{folder.name} holds no weights that can be taken: {why}.", "Save it as safetensors.")
    if index.stat().st_size > MAX_INDEX_BYTES:
        raise ModelError(f"{INDEX} in {folder.name} is longer than any.", _PICK)
    try:
        names = sorted({str(name) for name in read_object(index)["weight_map"].values()})
    except (StudioError, KeyError, AttributeError) as error:
        raise ModelError(f"{INDEX} in {folder.name} is damaged.", _FETCH) from error
    for name in names:
        if PurePath(name).name != name or "\\" in name:
            raise ModelError(f"{INDEX} in {folder.name} names a file that lies elsewhere ({name[:60]!r}).", _PICK)
        if not (folder / name).is_file():
            raise ModelError(f"{name[:60]} is missing in {folder.name}.", _FETCH)
    return names


def _check_shapes(folder: Path, config: Any, found: Mapping[str, tuple[int, ...]]) -> None:
    """Compare what lies there with the model that the configuration describes."""
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.conversion_mapping import get_checkpoint_conversion_mapping

    try:
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    except Exception as error:
        raise explain(error, str(folder)) from error
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    for name, shape in wanted.items():
        if name in found and found[name] != shape:
            raise ModelError(
                f"{folder.name} does not fit its own {CONFIG}: {name[-80:]} is {_size(found[name])}, and should be "
                f"{_size(shape)}.",
                _FETCH,
            )
    if get_checkpoint_conversion_mapping(config.model_type):
        return  # its checkpoint has other names than the loaded model
    tied = set(getattr(model, "all_tied_weights_keys", None) or ())
    missing = [name for name in wanted if name not in found and name not in tied]
    if missing:
        raise ModelError(f"{folder.name} lacks {missing[0][-80:]}, which its {CONFIG} asks for.", _FETCH)


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{side:,}" for side in shape) or "one number"


def _check_words(folder: Path, config: Any) -> None:
    from engine.model.chat_format import read_chat_format

    tokenizer = read_chat_format(folder).tokenizer
    rows = int(config.get_text_config().vocab_size)
    highest = max(tokenizer.get_vocab().values(), default=0)
    if highest >= rows:
        raise ModelError(
            f"The tokenizer in {folder.name} belongs to another model: it has a token of the number {highest:,}, the "
            f"model {rows:,} tokens.",
            _FETCH,
        )
