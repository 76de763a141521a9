"""The starter's GGUF file -> an ordinary checkpoint folder: ``python -m engine.model.starter_conversion GGUF FOLDER``.

Run in a process of its own: while transformers makes a model, it changes what holds for a whole process (torch's
default number type), under the hands of whoever trains or answers there.
"""

import sys
from pathlib import Path


def convert(source: Path, folder: Path) -> None:
    """Save a GGUF file as a bfloat16 safetensors checkpoint with its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    model = AutoModelForCausalLM.from_pretrained(
        source.parent, gguf_file=source.name, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
    )
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
