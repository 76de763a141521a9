"""What the header of a safetensors file says of its tensors; the weights are not looked at."""

from pathlib import Path


def tensor_shapes(file: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor in a file, by its name.

    Raises:
        SafetensorError: It is cut off, or something else under that name.
        OSError: It cannot be read.
    """
    from safetensors import safe_open

    with safe_open(file, "np") as tensors:
        return {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118 - no dict
