"""Replay an adapter or a merged model with plain transformers and peft, as usage.py loads them.

    python -I with_transformers.py JOB.json RESULT.json

Says on stdout, a line each, how many conversations are done. Ends when its stdin is closed.
"""

import ast
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

LONGER = 8
"""Tokens that an answer is left to itself beyond the playground's."""

ROUNDED = 8
"""Conversations, the last ones, that are asked again once the model is rounded to 8 bit."""


def main(job_file: str, result_file: str) -> None:
    """Do one job."""
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    folder = Path(job["folder"])
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    model = load_adapter(job, folder) if job["kind"] == "adapter" else load_merged(job, folder)
    stops = stops_of_script(folder, tokenizer) if job["kind"] == "adapter" else stops_of_model(model)
    told = []
    for number, asked in enumerate(job["asked"], 1):
        told.append(replayed(model, tokenizer, stops, asked))
        print(number, flush=True)
    rounded = []
    if job["kind"] == "merged":
        round_to_8_bit(model)
        rounded = [replayed(model, tokenizer, stops, asked | {"free": False}) for asked in job["asked"][-ROUNDED:]]
    versions = {"transformers": sys.modules["transformers"].__version__, "torch": torch.__version__}
    if "peft" in sys.modules:
        versions["peft"] = sys.modules["peft"].__version__
    result = {"stop_ids": stops, "versions": versions, "replayed": told, "rounded": rounded}
    Path(result_file).write_text(json.dumps(result), encoding="utf-8")


def load_adapter(job: dict[str, Any], folder: Path) -> Any:
    """The adapter over its base in 4 bit, as in usage.py."""
    from peft import PeftModel
    from transformers import BitsAndBytesConfig

    dtype = getattr(torch, job["compute_type"])
    options = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=job["quant_type"],
        bnb_4bit_use_double_quant=job["double_quant"],
        bnb_4bit_compute_dtype=dtype,
    )
    base = AutoModelForCausalLM.from_pretrained(
        job["base"],
        quantization_config=options,
        dtype=dtype,
        device_map={"": job["device"]},
        trust_remote_code=False,
        local_files_only=True,
    )
    base.generation_config = GenerationConfig()
    for layer in base.modules():
        layer.support_avx512bf16_for_cpu = False
    return PeftModel.from_pretrained(base, folder, local_files_only=True).eval()


def load_merged(job: dict[str, Any], folder: Path) -> Any:
    """The model as it lies there; computed in the type that the playground computed in."""
    dtype = getattr(torch, job["compute_type"])
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, device_map={"": job["device"]}, trust_remote_code=False, local_files_only=True
    )
    return model.eval()


@torch.inference_mode()
def round_to_8_bit(model: Any) -> None:
    """Round the weights in place as llama.cpp's q8_0 does: 32 of a row share a scale in float16.

    What that does to the answers is the measure of what a rounding to 16 bit may do to them: models differ a
    hundredfold in how much they mind.
    """
    for layer in model.modules():
        if isinstance(layer, torch.nn.Linear) and layer.weight.numel() % 32 == 0:
            blocks = layer.weight.reshape(-1, 32)
            scales = (blocks.abs().amax(-1, keepdim=True).float() / 127).half().to(blocks.dtype)
            scales[scales == 0] = 1
            layer.weight.copy_(((blocks / scales).round() * scales).reshape(layer.weight.shape))


def stops_of_script(folder: Path, tokenizer: Any) -> list[int]:
    """The tokens that end an answer in usage.py, which is read, not run; the tokenizer's own where there is none."""
    script = folder / "usage.py"
    if script.is_file():
        for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)):
                continue
            if getattr(node.targets[0], "id", "") == "stop":
                return sorted(tokenizer.convert_tokens_to_ids(ast.literal_eval(node.value.args[0])))
    return [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]


def stops_of_model(model: Any) -> list[int]:
    """The tokens that end an answer by the model's own generation settings."""
    stop = model.generation_config.eos_token_id
    if stop is None:
        return []
    return sorted(stop) if isinstance(stop, list) else [stop]


@torch.inference_mode()
def replayed(model: Any, tokenizer: Any, stops: list[int], asked: dict[str, Any]) -> dict[str, Any]:
    """What the export makes of one conversation."""
    text = tokenizer.apply_chat_template(
        asked["turns"], tokenize=False, add_generation_prompt=True, enable_thinking=False
    )
    prompt = tokenizer(text + asked["opening"], add_special_tokens=False)["input_ids"]
    answer, likely = asked["tokens"], asked["likely"]
    ids = torch.tensor([prompt + answer[:-1]], dtype=torch.long, device=model.device)
    logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0, -len(answer) :].float()
    logprobs = logits.log_softmax(-1)
    told = [logprobs[place, torch.tensor(tokens, dtype=torch.long)].tolist() for place, tokens in enumerate(likely)]
    free = left_to_itself(model, tokenizer, stops, prompt, len(answer)) if asked["free"] else None
    return {"prompt": prompt, "choices": logits.argmax(-1).tolist(), "logprobs": told, "free": free}


def left_to_itself(model: Any, tokenizer: Any, stops: list[int], prompt: list[int], length: int) -> list[int]:
    """The export's own answer, without the token that ended it."""
    ids = torch.tensor([prompt], dtype=torch.long, device=model.device)
    pad = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    out = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=length + LONGER,
        do_sample=False,
        eos_token_id=stops or None,
        pad_token_id=pad,
    )
    own: list[int] = out[0, len(prompt) :].tolist()
    return own[:-1] if own and own[-1] in stops else own


def end_with_the_program() -> None:
    """End at once when whoever has started this ends, however that comes: its end of stdin is closed then."""
    while os.read(0, 1):  # not sys.stdin, whose lock the interpreter would miss at its end
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=end_with_the_program, daemon=True).start()
    main(*sys.argv[1:])
