"""The scripts that travel with an export: plain transformers and peft, nothing of this program."""

from typing import TYPE_CHECKING

from engine.model.sources import is_hub_id, public_name
from engine.recipe import STARTER, Recipe

if TYPE_CHECKING:
    from engine.model.chat_format import ChatFormat

STARTER_FOLDER = "starter-model"
"""Where the card tells the person to write the starter model."""

_SCRIPT = '''"""Answer a customer with the adapter in this folder.

    python usage.py "Where is my parcel?" [BASE]
"""

import sys
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, GenerationConfig

arguments = dict(enumerate(sys.argv))
QUESTION = arguments.get(1, "Where is my parcel?")
BASE = arguments.get(2, {base!r})  # {base_note}
ADAPTER = Path(__file__).resolve().parent

# The adapter has learnt on the base in exactly this form; over another precision it is another model.
options = BitsAndBytesConfig(
    load_in_4bit=True,
    bnb_4bit_quant_type={quant_type!r},
    bnb_4bit_use_double_quant={double_quant},
    bnb_4bit_compute_dtype=torch.{compute_type},
)
device = "cuda" if torch.cuda.is_available() else "cpu"
tokenizer = AutoTokenizer.from_pretrained(ADAPTER)
base = AutoModelForCausalLM.from_pretrained(
    BASE, quantization_config=options, dtype=torch.{compute_type}, device_map={{"": device}}
)
base.generation_config = GenerationConfig()  # the base's own may sample, or punish repetition
for layer in base.modules():
    layer.support_avx512bf16_for_cpu = False  # else bitsandbytes computes in bfloat16 on some processors
model = PeftModel.from_pretrained(base, ADAPTER).eval()
'''

_MERGED = '''"""Answer a customer with the model in this folder.

    python usage.py "Where is my parcel?"
"""

import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

arguments = dict(enumerate(sys.argv))
QUESTION = arguments.get(1, "Where is my parcel?")
MODEL = Path(__file__).resolve().parent

device = "cuda" if torch.cuda.is_available() else "cpu"
tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.{compute_type}, device_map={{"": device}}).eval()
'''

_ASK = """
{messages}
text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, enable_thinking=False)
{opening}prompt = tokenizer(text, add_special_tokens=False, return_tensors="pt").to(device)
stop = tokenizer.convert_tokens_to_ids({stops})
answer = model.generate(**prompt, max_new_tokens=256, do_sample=False, eos_token_id=stop, pad_token_id={pad})
print(tokenizer.decode(answer[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True))
"""


def usage_script(recipe: Recipe, compute_type: str, chat: "ChatFormat") -> str:
    """Write the script for one adapter.

    Args:
        recipe: The run's recipe.
        compute_type: float32, bfloat16 or float16: what the run computed in.
        chat: The tokenizer and template that the adapter learnt with.
    """
    base, note = _base(recipe.model)
    loading = _SCRIPT.format(
        base=base,
        base_note=note,
        quant_type=recipe.quant_type,
        double_quant=recipe.double_quant,
        compute_type=compute_type,
    )
    return loading + _asking(recipe, chat)


def merged_script(recipe: Recipe, compute_type: str, chat: "ChatFormat") -> str:
    """Write the script for a merged model; the arguments are those of :func:`usage_script`."""
    return _MERGED.format(compute_type=compute_type) + _asking(recipe, chat)


def _asking(recipe: Recipe, chat: "ChatFormat") -> str:
    """The part that asks, the same for every format that transformers loads."""
    return _ASK.format(
        messages=_messages(recipe.system_prompt.strip(), chat),
        opening=f"text += {chat.opening!r}  # as it was asked while it learnt\n" if chat.opening else "",
        stops=[str(chat.tokenizer.convert_ids_to_tokens(stop)) for stop in sorted(chat.stop_ids)],
        pad=chat.pad_id,
    )


def _base(model: str) -> tuple[str, str]:
    """The base as the script names it, and what that is; a local folder by its name, since its path is private."""
    if model == STARTER:
        return STARTER_FOLDER, "the folder that 'python -m engine starter' wrote"
    return public_name(model), "a model hub id" if is_hub_id(model) else "the folder of the base model"


def _messages(system_prompt: str, chat: "ChatFormat") -> str:
    if not system_prompt:
        return 'messages = [{"role": "user", "content": QUESTION}]'
    if _knows_system_role(chat):
        return (
            f"SYSTEM = {system_prompt!r}\n"
            'messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]'
        )
    return (
        f"SYSTEM = {system_prompt!r}\n"
        'messages = [{"role": "user", "content": f"{SYSTEM}\\n\\n{QUESTION}"}]  # the template knows no system role'
    )


def _knows_system_role(chat: "ChatFormat") -> bool:
    from jinja2 import TemplateError

    trial = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
    try:
        chat.tokenizer.apply_chat_template(trial, tokenize=False, add_generation_prompt=True)
    except TemplateError:
        return False
    return True
