"""Classifiers of texts and of images that transformers saved in a folder, and its pipelines."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evenhand.errors import ModelError, shorten
from evenhand.subjects.adapter import Adapter
from evenhand.subjects.catalogue import ADAPTERS
from evenhand.subjects.huggingface.folder import load, load_part, read_folder
from evenhand.subjects.huggingface.tokens import ROWS, Tokens
from evenhand.subjects.outputs import sigmoid, softmax

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain, Reads
    from evenhand.subjects.protocol import Subject
    from evenhand.subjects.target import Decide, DeclaredKind

_UNNAMED: Final = "LABEL_"
"""How transformers names classes that nobody named: by their number."""


class _Network(ABC):
    """What classifiers of texts and of images share: a model that answers (rows, labels), and the names of these."""

    reads: Reads

    def __init__(self, module: Any, name: str, facts: Mapping[str, Plain]) -> None:
        self.module = module.eval()
        self.name = name
        self.config: dict[str, object] = module.config.to_dict()
        self.labels = [str(module.config.id2label[at]) for at in range(module.config.num_labels)]
        parameters = list(module.parameters())
        self.facts: dict[str, Plain] = {
            "kind": "transformers",
            "class": type(module).__name__,
            "labels": list(self.labels),
            **facts,
            "parameters": sum(each.numel() for each in parameters),
            "nonzero_parameters": sum(int(each.count_nonzero()) for each in parameters),
        }

    @abstractmethod
    def logits(self, batch: Batch) -> NDArray[np.float64]:
        """Return the model's answers, shape (rows, labels)."""

    def _asked(self, **inputs: object) -> NDArray[np.float64]:
        import torch

        with torch.inference_mode():
            found: NDArray[np.float64] = self.module(**inputs).logits.double().cpu().numpy()
            return found


class _OfTexts(_Network):
    """Texts as token ids, in batches of one length: no row is padded, so none depends on the others."""

    reads: Reads = "texts"

    def __init__(self, module: Any, tokenizer: object, name: str, facts: Mapping[str, Plain]) -> None:
        super().__init__(module, name, facts)
        # a decoder without a padding token finds the last token of one row only
        alone = self.config.get("pad_token_id") is None and not _has_mask_token(tokenizer)
        self.tokens = Tokens(tokenizer, self.config, name, alone)
        self.facts["max_tokens"] = self.tokens.most

    def logits(self, batch: Batch) -> NDArray[np.float64]:
        """Return the model's answers, shape (rows, labels)."""
        import numpy as np
        import torch

        found = np.empty((len(batch), len(self.labels)))
        for places, ids in self.tokens.batches(self.tokens.ids(batch)):
            found[places] = self._asked(input_ids=ids, attention_mask=torch.ones_like(ids))
        return found


class _OfImages(_Network):
    """Images, bytes (rows, height, width, channels), as the folder's own processor makes them."""

    reads: Reads = "arrays"

    def __init__(self, module: Any, processor: Any, name: str, facts: Mapping[str, Plain]) -> None:
        super().__init__(module, name, facts)
        self.processor = processor

    def logits(self, batch: Batch) -> NDArray[np.float64]:
        """Return the model's answers, shape (rows, labels)."""
        import numpy as np

        images = np.asarray(batch)
        if images.dtype != np.uint8 or images.ndim not in (3, 4):
            raise ModelError(
                f"Model '{self.name}' reads images as bytes, (rows, height, width, channels); these are "
                f"{images.dtype} of shape {images.shape}. Pass bytes: its own processor scales them."
            )
        coloured = images if images.ndim == 4 else np.repeat(images[..., None], 3, axis=3)
        found = np.empty((len(images), len(self.labels)))
        for start in range(0, len(images), ROWS):
            part = list(coloured[start : start + ROWS])
            pixels = self.processor(images=part, return_tensors="pt", input_data_format="channels_last")
            found[start : start + ROWS] = self._asked(pixel_values=pixels["pixel_values"])
        return found


class Classifier:
    """A network of transformers as an estimator: one probability a class, by the names that the network gives them."""

    def __init__(self, network: _Network) -> None:
        self.network = network
        self.reads = network.reads
        self.facts = network.facts
        if not all(label == f"{_UNNAMED}{at}" for at, label in enumerate(network.labels)):
            self.classes_: list[object] = list(network.labels)
        else:
            self.classes_ = list(range(len(network.labels)))

    def predict_proba(self, batch: Batch) -> NDArray[np.float64]:
        """Return one probability a class, shape (rows, classes)."""
        return softmax(self.network.logits(batch))


class _OfLabels:
    """A network of several labels, of which a row may have any: one probability a label, named."""

    def __init__(self, network: _Network) -> None:
        self.network = network
        self.reads = network.reads
        self.facts = network.facts

    def predict_proba(self, batch: Batch) -> pd.DataFrame:
        """Return one probability a label, a column each."""
        import pandas as pd

        return pd.DataFrame(sigmoid(self.network.logits(batch)), columns=self.network.labels)


class _OfNumbers:
    """A network that gives one number."""

    _estimator_type = "regressor"

    def __init__(self, network: _Network) -> None:
        self.network = network
        self.reads = network.reads
        self.facts = network.facts

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return one number a row, shape (rows,)."""
        return self.network.logits(batch)[:, 0]


def open_folder(
    path: str | Path,
    *,
    name: str | None = None,
    threshold: float | None = None,
    positive: object = None,
    score_kind: DeclaredKind | None = None,
    decide: Decide | None = None,
) -> Subject:
    """Return the classifier of texts or images in a folder that transformers wrote.

    Nothing is asked of a network, weights are read from safetensors alone, and no code of the folder is run.

    Parameters
    ----------
    path : str or Path
        The folder, with ``config.json``, ``model.safetensors``, and the files of the tokenizer or image processor.
    name : str, optional
        What the report calls it; the folder's name when not given.
    threshold, positive, score_kind, decide
        As in `as_subject`.

    Returns
    -------
    Subject

    Raises
    ------
    ModelError
        When the folder holds no such model, or only a part of one; a language model is opened with
        `open_language_model`.

    Examples
    --------
    >>> from evenhand.subjects import open_folder
    >>> open_folder("sentiment")  # doctest: +SKIP
    """
    folder = read_folder(Path(path))
    called = name or folder.path.resolve().name
    if folder.kind in ("causal", "masked"):
        raise ModelError(
            f"'{path}' holds a language model ({folder.facts['class']}), which decides nothing about a text: "
            "evenhand.subjects.open_language_model gives the likelihood of texts."
        )
    if folder.kind == "encoder":
        raise ModelError(
            f"'{path}' holds a {folder.facts['class']}, which decides nothing alone: train a head over "
            "evenhand.subjects.open_encoder, or save a model that has one, such as BertForSequenceClassification."
        )
    network: _Network
    if folder.kind == "texts":
        tokenizer = load_part(folder, "AutoTokenizer", "tokenizer")
        network = _OfTexts(load(folder), tokenizer, called, folder.facts)
    else:
        processor = load_part(folder, "AutoImageProcessor", "image processor")
        network = _OfImages(load(folder), processor, called, folder.facts)
    said = {"threshold": threshold, "positive": positive, "score_kind": score_kind, "decide": decide}
    return _subject(network, called, **said)


def _subject(network: _Network, name: str, **said: Any) -> Subject:
    task = network.config.get("problem_type")
    made: Callable[[_Network], object] = Classifier
    if task == "multi_label_classification":
        made = _OfLabels
    elif len(network.labels) == 1 or task == "regression":
        made = _OfNumbers
    build = ADAPTERS["sklearn"].build
    return build(made(network), name=name, reads=network.reads, file_facts=network.facts, **said)


def of_pipeline(
    pipeline: Any,
    *,
    name: str | None = None,
    threshold: float | None = None,
    positive: object = None,
    score_kind: DeclaredKind | None = None,
    decide: Decide | None = None,
) -> Subject:
    """Return a pipeline of transformers that classifies texts or images as a subject.

    Raises ModelError for a pipeline of another task.
    """
    called = name or str(getattr(pipeline.model.config, "name_or_path", "")) or type(pipeline.model).__name__
    said = {"threshold": threshold, "positive": positive, "score_kind": score_kind, "decide": decide}
    if pipeline.task in ("text-classification", "sentiment-analysis"):
        return _subject(_OfTexts(pipeline.model, pipeline.tokenizer, called, {}), called, **said)
    if pipeline.task == "image-classification":
        return _subject(_OfImages(pipeline.model, pipeline.image_processor, called, {}), called, **said)
    raise ModelError(
        f"A pipeline for {shorten(pipeline.task, 60)} decides nothing that can be audited as it is: pass one for "
        "text-classification or image-classification, or a function from a batch to decisions."
    )


def _has_mask_token(tokenizer: object) -> bool:
    return getattr(tokenizer, "mask_token", None) is not None


def _fits(model: object) -> bool:
    transformers = sys.modules.get("transformers")
    return transformers is not None and isinstance(model, transformers.Pipeline)


ADAPTER: Final = Adapter(of_pipeline, _fits, 20)
