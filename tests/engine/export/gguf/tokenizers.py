"""Small tokenizers of the kinds that llama.cpp knows, made by transformers' own classes of them."""

from typing import Any

from tests.tiny import CHATML, WORDS

THREE_DIGITS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
ONE_DIGIT = THREE_DIGITS.replace("{1,3}", "")
_HEAD, _TAIL = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
BY_CASE = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_HEAD}*{_TAIL}+|[^\r\n\p{{L}}\p{{N}}]?{_HEAD}+{_TAIL}*|\p{{N}}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_ENDINGS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
BY_CASE_WITH_ENDINGS = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_HEAD}*{_TAIL}+{_ENDINGS}|[^\r\n\p{{L}}\p{{N}}]?{_HEAD}+{_TAIL}*{_ENDINGS}|\p{{N}}{{1,3}}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPECIAL = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<pad>"]
TEXTS = [
    *WORDS,
    "It's 12345, isn't it? WE'LL see: €1.234,50!!  \n\n\tÜber größe 你好 — don't",
    "a  b   c\n d",
    "HTTPServer iPhone",
]


def cutters() -> dict[str, Any]:
    """llama.cpp's name -> (what cuts before the merges, whether whole pieces are taken)."""
    from tokenizers import Regex, pre_tokenizers

    def by(pattern: str) -> Any:
        split = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
        return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])

    plain = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return {
        "gpt-2": (plain, False),
        "smollm": (pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), plain]), False),
        "qwen2": (by(ONE_DIGIT), False),
        "llama-bpe": (by(THREE_DIGITS), True),
        "dbrx": (by(THREE_DIGITS), False),
        "tekken": (by(BY_CASE), True),
        "gpt-4o": (by(BY_CASE_WITH_ENDINGS), False),
    }


def byte_level(cutter: Any, whole: bool, size: int = 420) -> Any:
    """A byte-level tokenizer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(ignore_merges=whole))
    tokenizer.pre_tokenizer, tokenizer.decoder = cutter, decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS * 3, trainer)
    return _finished(PreTrainedTokenizerFast(tokenizer_object=tokenizer, **_names()))


def sentencepiece(kind: str) -> Any:
    """A tokenizer of SentencePiece's: 'llama' as transformers writes them now, 'legacy' as before, or 'gemma'."""
    from tokenizers import normalizers
    from transformers import GemmaTokenizer, LlamaTokenizer, PreTrainedTokenizerFast

    vocabulary, merges = _pieces()
    made = (GemmaTokenizer if kind == "gemma" else LlamaTokenizer)(vocab=vocabulary, merges=merges, **_names())
    if kind == "legacy":
        legacy = made.backend_tokenizer
        legacy.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        legacy.pre_tokenizer = None
        made = PreTrainedTokenizerFast(tokenizer_object=legacy, **_names())
    return _finished(made)


def _pieces() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Pieces in the order of their scores, and all the merges that make them, as transformers wins them back."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    learner = Tokenizer(models.BPE())
    learner.normalizer = normalizers.Replace(" ", "▁")
    learner.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    learner.train_from_iterator(TEXTS * 3, trainers.BpeTrainer(vocab_size=260, show_progress=False))
    learnt = [piece for piece, _ in sorted(learner.get_vocab().items(), key=lambda entry: entry[1])]
    made = ["▁▁", *(piece for piece in learnt if len(piece) > 1)]
    letters = sorted({letter for piece in learnt for letter in piece} | {"▁"})
    names = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), *made, *letters]
    vocabulary = {piece: number for number, piece in enumerate(names)}
    merges = [
        (piece[:cut], piece[cut:])
        for piece in made
        for cut in range(1, len(piece))
        if piece[:cut] in vocabulary and piece[cut:] in vocabulary
    ]
    return vocabulary, merges


def _names() -> dict[str, str]:
    return {"eos_token": "</s>", "bos_token": "<s>", "unk_token": "<unk>", "pad_token": "<pad>"}


def _finished(tokenizer: Any) -> Any:
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.chat_template = "{{ bos_token }}" + CHATML
    return tokenizer
