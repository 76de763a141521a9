"""A tiny Llama and its tokenizer, made on the spot: real code paths in milliseconds, no model hub."""

import json
from pathlib import Path

from engine.tickets.dataset.files import HELDOUT, TRAIN
from engine.tickets.dataset.stored import StoredConversation

WORDS = [
    "how long is the return window for a lamp",
    "the return window is forty one days",
    "where is my parcel please",
    "your parcel arrives on friday",
    "hello dear customer kind regards from the workbench",
    "can i change my address yes you can",
]
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def make_tokenizer(template: str | None = CHATML, eos: str = "<|im_end|>"):
    """A byte-level BPE tokenizer of a few hundred tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|im_start|>", "<|im_end|>", "<s>", "</s>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(WORDS * 3, trainer)
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=eos, bos_token="<s>", pad_token="<pad>")
    made.add_special_tokens({"additional_special_tokens": ["<|im_start|>"]})
    if template:
        made.chat_template = template
    return made


def make_model(folder: Path, template: str | None = CHATML, *, seed: int = 0, layers: int = 2) -> Path:
    """Save a Llama of two or more layers with random weights and its tokenizer; return the folder."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = make_tokenizer(template)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def stored(ticket: str, messages: list[dict]) -> StoredConversation:
    """A conversation as a data set keeps it; messages as in train.jsonl."""
    return StoredConversation.of_line(json.dumps({"ticket": ticket, "messages": messages}).encode(), TRAIN)


def conversations(count: int = 24) -> list[StoredConversation]:
    """Short conversations in one manner."""
    asked = ["how long is the return window", "where is my parcel", "can i change my address", "hello"]
    told = [
        "the return window is forty one days",
        "your parcel arrives on friday",
        "yes you can",
        "hello dear customer",
    ]
    return [
        stored(
            str(n),
            [
                {"role": "user", "content": asked[n % 4] + " please" * (n % 3)},
                {"role": "assistant", "content": told[n % 4] + " kind regards from the workbench"},
            ],
        )
        for n in range(count)
    ]


def write_data(folder: Path, learnt: int = 20, heldout: int = 4) -> Path:
    """Make a folder with train.jsonl and heldout.jsonl of so many short conversations, and return it."""
    folder.mkdir()
    rows = [row.line() for row in conversations(learnt + heldout)]
    (folder / TRAIN).write_bytes(b"".join(rows[:learnt]))
    (folder / HELDOUT).write_bytes(b"".join(rows[learnt:]))
    return folder
