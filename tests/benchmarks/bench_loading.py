"""Loading a 16-bit checkpoint as NF4: how long beside reading its files, and how much GPU memory at the peak.

    python tests/benchmarks/bench_loading.py --shape 7b --folder DIR
    python tests/benchmarks/bench_loading.py --shape 7b --folder DIR --streamed

Random weights of a known shape are written to DIR as a checkpoint in bfloat16. Its files are then read from beginning
to end, with an empty page cache as far as the system lets a program empty it, and after that the checkpoint is loaded
as any other. A loader that kept the whole model in 16 bit on the GPU would show a peak of ``checkpoint_gib`` and more.
With ``--streamed`` the layers go into the computer's memory in 4 bit; ``host_gib`` is the most that the process had
there, the files that the system keeps mapped for it included. The last line is one JSON object.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.hardware import GIB
from tests.benchmarks.bench_gpus import make_model
from tests.benchmarks.shapes import SHAPES


def forget(folder: Path) -> None:
    """Ask the system to drop a folder's files from its page cache; where it cannot, reading is only faster."""
    os.sync()
    for file in folder.iterdir():
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def read(folder: Path) -> float:
    """Read every file once; return the seconds."""
    began = time.perf_counter()
    for file in folder.glob("*.safetensors"):
        with file.open("rb", buffering=0) as stream:
            while stream.read(16 * 2**20):
                pass
    return time.perf_counter() - began


def _most_memory() -> int:
    """Return the most memory that this process has had, in bytes (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def main() -> None:
    """Measure, print, and remove the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="starter-size")
    parser.add_argument("--folder", type=Path, help="on the disk to be measured; default: the temporary folder")
    parser.add_argument("--streamed", action="store_true", help="its layers into the computer's memory")
    arguments = parser.parse_args()

    import torch

    from engine.model.base import load_base
    from engine.model.libraries import import_all
    from engine.recipe import Recipe

    import_all()
    on_gpu = torch.cuda.is_available()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as temporary:
        model = Path(temporary) / "model"
        make_model(model, arguments.shape)
        size = sum(file.stat().st_size for file in model.glob("*.safetensors"))
        forget(model)
        reading = read(model)
        forget(model)
        if on_gpu:
            torch.cuda.reset_peak_memory_stats()
        began = time.perf_counter()
        base = load_base(Recipe(model=str(model)), model, lambda *_: None, streamed=arguments.streamed)
        loading = time.perf_counter() - began
        found = {
            "shape": arguments.shape,
            "checkpoint_gib": round(size / GIB, 2),
            "reading_seconds": round(reading, 1),
            "loading_seconds": round(loading, 1),
            "ratio": round(loading / reading, 2),
            "peak_gib": round(torch.cuda.max_memory_allocated() / GIB, 2) if on_gpu else None,
            "loaded_gib": round(torch.cuda.memory_allocated() / GIB, 2) if on_gpu else None,
            "streamed": base.is_streamed,
            "arena_gib": round(base.arena.bytes / GIB, 2) if base.arena else None,
            "host_gib": round(_most_memory() / GIB, 2),
            "torch": torch.__version__,
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
