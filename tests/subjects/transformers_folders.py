"""Small models of transformers, made from configurations, in folders with their tokenizers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

WORDS = ["the", "man", "woman", "is", "a", "good", "bad", "doctor", "nurse", "here", "there", "film", "was"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
BERT = {**SIZES, "max_position_embeddings": 12}


def tokenizer(kind: str = "bert") -> Any:
    """Return a tokenizer of whole words: as BERT has it, or as GPT-2, with one token that begins texts."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate([*SPECIAL, *WORDS])}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    if kind == "gpt2":
        return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="[UNK]", bos_token="[CLS]", eos_token="[CLS]")
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    named = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    return PreTrainedTokenizerFast(tokenizer_object=made, unk_token="[UNK]", **named)


def network(kind: str, **more: Any) -> Any:
    """Return a model with weights far from 0, so that its answers differ."""
    import torch
    import transformers as tf

    vocabulary = len(SPECIAL) + len(WORDS)
    wide = {"initializer_range": 0.6, "vocab_size": vocabulary, **more}
    gpt = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 12, "bos_token_id": 2, "eos_token_id": 2, **wide}
    distil = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24, "max_position_embeddings": 12, **wide}
    picture = {**SIZES, "image_size": 8, "patch_size": 4, "initializer_range": 0.6, **more}
    configured = {
        "bert": lambda: tf.BertForSequenceClassification(tf.BertConfig(**BERT, **wide)),
        "distilbert": lambda: tf.DistilBertForSequenceClassification(tf.DistilBertConfig(**distil)),
        "gpt2": lambda: tf.GPT2ForSequenceClassification(tf.GPT2Config(**gpt)),
        "vit": lambda: tf.ViTForImageClassification(tf.ViTConfig(**picture)),
        "causal": lambda: tf.GPT2LMHeadModel(tf.GPT2Config(**gpt)),
        "masked": lambda: tf.BertForMaskedLM(tf.BertConfig(**BERT, **wide)),
        "encoder": lambda: tf.BertModel(tf.BertConfig(**BERT, **wide)),
    }
    torch.manual_seed(0)
    return configured[kind]().eval()


def folder(place: Path, kind: str, **more: Any) -> Path:
    """Write a model, and what makes its inputs, into a folder."""
    network(kind, **more).save_pretrained(place)
    if kind == "vit":
        from transformers import ViTImageProcessor

        ViTImageProcessor(size={"height": 8, "width": 8}).save_pretrained(place)
    else:
        tokenizer("gpt2" if kind in ("gpt2", "causal") else "bert").save_pretrained(place)
    return place


NAMED = {"id2label": {0: "no", 1: "yes"}, "label2id": {"no": 0, "yes": 1}}
