"""Let transformers load a checkpoint into an arena: each weight goes there as soon as it is packed.

A weight is read in 16 bit, packed on the device and copied into its layer's piece, before the next one is read; so
neither the GPU nor the computer's memory ever holds more of the model in 16 bit than what is being read. Where the
computer's memory is short, the arena is a file. This module knows transformers' quantiser and nothing of training.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import torch
from transformers.integrations.bitsandbytes import Bnb4bitDeserialize, Bnb4bitQuantize
from transformers.quantizers.auto import AUTO_QUANTIZER_MAPPING
from transformers.quantizers.quantizer_bnb_4bit import Bnb4BitHfQuantizer

from engine.errors import ModelError
from engine.hardware import ARENA_SHARE
from engine.model.decoder_layers import decoder_layers
from engine.model.streaming.arena import Arena
from engine.model.streaming.pieces import Layout, layout_of, weights_in, write
from engine.model.unpacking import linear_4bit_layers

METHOD = "bitsandbytes_4bit"
"""Under this name transformers looks up its quantiser."""


def is_short_for(layouts: Sequence[Layout]) -> bool:
    """Whether the computer's memory has too little room for layers, of which each process that shares a run has all."""
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    needed = processes * sum(layout.bytes for layout in layouts)
    return bool(needed > ARENA_SHARE * psutil.virtual_memory().available)


class Landing:
    """Where the weights of a model that is being loaded go.

    Args:
        device: Where the model will compute.
        folder: For the file, where the computer's memory is short.
    """

    def __init__(self, device: torch.device, folder: Path) -> None:
        self._device, self._folder = device, folder
        self._arena: Arena | None = None
        self._places: dict[str, tuple[int, int]] = {}
        """Name of a 4-bit module -> its layer, and its place among the layer's."""
        self._weights: list[tuple[Any, ...]] = []

    def __deepcopy__(self, memo: dict[int, Any]) -> "Landing":
        """Stay one: transformers copies the operations of a checkpoint that is packed already, one a weight."""
        return self

    def takes(self, parameter: str) -> bool:
        """Whether a parameter goes to the arena."""
        return parameter.removesuffix(".weight") in self._places

    def put(self, module: str, weight: Any) -> Any:
        """Copy a packed weight into the arena; return it as it is there."""
        assert self._arena is not None
        layer, place = self._places[module]
        write(weight, self._arena.layouts[layer].weights[place], self._arena.pieces[layer])
        return self._weights[layer][place]

    def finished(self, model: Any) -> Arena:
        """Return the arena once everything is loaded, its pages pinned beside a GPU.

        Raises:
            ModelError: The model has no layers that are packed.
        """
        if self._arena is None or not self._arena.bytes:
            raise ModelError(
                "This model has no layers that can be brought in one by one.", "Set memory against speed to auto."
            )
        for module in linear_4bit_layers(model):
            module.quant_state = module.weight.quant_state
        for number in range(len(self._arena.pieces)):
            self._arena.pin(number)
        return self._arena

    def prepare(self, model: Any) -> None:
        """Make the arena, once the model's modules are there and before a weight is read.

        Raises:
            ResourceError: It is to lie in a file, and the disk has no room for that.
        """
        names = {module: name for name, module in model.named_modules()}
        layers = [linear_4bit_layers(layer) for layer in decoder_layers(model)]
        layouts = [layout_of(modules, model.dtype) for modules in layers]
        folder = self._folder if is_short_for(layouts) else None
        self._arena = Arena(layouts, pinned=self._device.type == "cuda", folder=folder)
        self._weights = [weights_in(piece, layout) for piece, layout in zip(self._arena.pieces, layouts, strict=True)]
        self._places = {
            names[module]: (layer, place)
            for layer, modules in enumerate(layers)
            for place, module in enumerate(modules)
        }


@contextmanager
def into_arena(device: torch.device, folder: Path) -> Iterator[Landing]:
    """Let what transformers loads in 4 bit go to an arena for as long as the context lasts; one at a time.

    Args:
        device: Where the model will compute.
        folder: For the file, where the computer's memory is short.
    """
    landing = Landing(device, folder)

    class Quantiser(Bnb4BitHfQuantizer):  # type: ignore[misc]  # transformers has no types for it
        """transformers' own, whose weights do not stay where they are packed."""

        def _process_model_before_weight_loading(self, model: Any, **options: Any) -> None:
            """Make the arena before a weight is read: where there is no room for it, that is said at once."""
            super()._process_model_before_weight_loading(model, **options)
            with torch.device("cpu"):  # the model itself is made without memory
                landing.prepare(model)

        def param_element_size(self, model: Any, param_name: str, param: torch.Tensor) -> float:
            """Let transformers set no memory of the GPU aside for what goes to the arena."""
            return 0.0 if landing.takes(param_name) else float(super().param_element_size(model, param_name, param))

        def get_quantize_ops(self) -> Any:
            return _Packed(self, landing)

        def get_load_operations(self) -> Any:
            return {"deserialize": lambda quantizer: _AlreadyPacked(quantizer, landing)}

    before = AUTO_QUANTIZER_MAPPING[METHOD]
    AUTO_QUANTIZER_MAPPING[METHOD] = Quantiser
    try:
        yield landing
    finally:
        AUTO_QUANTIZER_MAPPING[METHOD] = before


class _Packed(Bnb4bitQuantize):  # type: ignore[misc]
    """Packs a weight of the checkpoint, and lets it land."""

    def __init__(self, hf_quantizer: Any, landing: Landing) -> None:
        super().__init__(hf_quantizer)
        self._landing = landing

    def convert(self, input_dict: Any, full_layer_name: str | None = None, model: Any = None, **kwargs: Any) -> Any:
        packed = super().convert(input_dict, full_layer_name=full_layer_name, model=model, **kwargs)
        return _landed(packed, packed, self._landing)


class _AlreadyPacked(Bnb4bitDeserialize):  # type: ignore[misc]
    """Puts a weight together that the checkpoint holds in 4 bit, and lets it land."""

    def __init__(self, hf_quantizer: Any, landing: Landing) -> None:
        super().__init__(hf_quantizer)
        self._landing = landing

    def convert(self, input_dict: Any, model: Any = None, full_layer_name: str | None = None, **kwargs: Any) -> Any:
        packed = super().convert(input_dict, model=model, full_layer_name=full_layer_name, **kwargs)
        return _landed(packed, [full_layer_name], self._landing)


def _landed(packed: dict[str, Any], names: Sequence[Any] | dict[str, Any], landing: Landing) -> Any:
    """Put every weight that has a place in the arena there."""
    landed = {}
    for (key, value), name in zip(packed.items(), names, strict=True):
        goes = landing.takes(name) and hasattr(value, "quant_state")
        landed[key] = landing.put(name.removesuffix(".weight"), value) if goes else value
    return landed
