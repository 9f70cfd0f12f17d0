"""A trained model: preprocessing, network and threshold, in one file."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import math
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from evenhand.documents import parse_json
from evenhand.errors import ModelError, need
from evenhand.subjects.outputs import check_scores, sigmoid, softmax
from evenhand.training.refits import Refits
from evenhand.training.stages import Staged, write_stages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from evenhand.findings import Batch, Plain, Reads, Task
    from evenhand.subjects import ScoreKind
    from evenhand.training.dataset import Prepared
    from evenhand.training.plan import Plan
    from evenhand.training.preparing import Preparing
    from evenhand.training.target import Target

KEY: Final = "evenhand"
"""The key of the JSON in the file's metadata."""
FORMAT: Final = 1
"""The version of that JSON."""
AT_ONCE = 65_536
"""Rows that go through the network in one piece, when a row is a few columns."""
SPREAD: Final = 256
"""Numbers that are made of one token by a graph, whose width is not known."""
CELLS = 64
"""Rows of more cells than this go in smaller pieces: a layer's output has to fit into memory."""


class NetworkModel(Staged, Refits):
    """A subject made by `fit`: it predicts probabilities from its inputs.

    Parameters
    ----------
    name : str
        What the report calls it.
    network : torch.nn.Module
        (n, ...) float32 to (n,) logits, or (n, C) of several classes.
    plan : Plan
        What the network is built from.
    preprocessing : Preparing
        From model inputs to network inputs.
    threshold : float
        A probability at or above it is predicted positive; of several classes the most probable is predicted.
    history : mapping
        How it came about: settings, rows, losses.
    fit_row_hashes : array of uint64
        Fingerprints of the training and validation rows, sorted; empty when unknown.
    recipe : list of mappings
        Compression recipes it has been through.
    stored_as : str
        The type of the numbers in the file; they are computed with as float32.
    content : bytes, optional
        The file it was read from, when it was.
    cost : mapping, optional
        What its fit cost: seconds, memory, energy. It differs from run to run and is kept in a second file.
    pruned : list, optional
        Which channels of which layers pruning has taken out, as it is kept in the file.
    target : Target, optional
        How the numbers of its label are learnt, where the label is one of numbers; then nothing is cut at `threshold`.

    See Also
    --------
    evenhand.training.fit : Makes one.
    evenhand.training.load_model : Reads one.
    """

    def __init__(
        self,
        *,
        name: str,
        network: nn.Module,
        plan: Plan,
        preprocessing: Preparing,
        threshold: float,
        history: Mapping[str, Plain],
        fit_row_hashes: NDArray[np.uint64],
        recipe: list[Plain] | None = None,
        stored_as: str = "float32",
        content: bytes | None = None,
        cost: Mapping[str, Plain] | None = None,
        pruned: list[Plain] | None = None,
        target: Target | None = None,
    ) -> None:
        self.cost = dict(cost) if cost else None
        self._read_from = content
        self.name = name
        self.network = network.eval()
        self.plan = plan
        self.preprocessing = preprocessing
        self.threshold = threshold
        self.history = dict(history)
        self.fit_row_hashes = fit_row_hashes
        self.recipe: list[Plain] = recipe or []
        self.stored_as = stored_as
        self.pruned: list[Plain] = pruned or []
        self.target = target
        self.task: Task = target.task if target is not None else "binary" if plan.outputs == 1 else "multiclass"
        self.score_kind: ScoreKind = "probability" if target is None else "label"

    @property
    def reads(self) -> Reads:
        """A table or arrays, as its preprocessing takes them."""
        return self.preprocessing.reads

    def prepare(self, batch: Batch) -> NDArray[np.float32]:
        """Return the inputs of the network, shape (n, ...)."""
        return self.preprocessing.transform(batch)

    def answer(self, prepared: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's logits for prepared rows, shape (n,), (n, 1) or (n, C)."""
        import torch

        with torch.inference_mode():
            return cast("NDArray[np.float32]", self.network(torch.from_numpy(prepared)).numpy())

    def predict_prepared(self, prepared: Prepared) -> NDArray[np.float64]:
        """Return what `predict` does for prepared rows."""
        return predictions(logits(self.network, prepared), self.name, self.target)

    def predict(self, batch: Batch) -> NDArray[np.float64]:
        """Return the probability of the positive class of each row, shape (n,), or of each class, (n, C).

        Of numbers, the number in the label's units, (n,): of quantiles that one which is shown, by default the middle.
        """
        return self.predict_prepared(self.prepare(batch))

    def predict_quantiles(self, batch: Batch) -> NDArray[np.float64]:
        """Return all quantiles of each row, (n, Q), in the label's units; none is below the one before.

        Raises ModelError when the model was not fitted with quantiles.
        """
        return quantiles_of(logits(self.network, self.prepare(batch)), self.name, self.target)

    def at_quantile(self, quantile: float) -> NetworkModel:
        """Return the same model that predicts another of its quantiles, also when it is saved and audited.

        Raises ModelError when it has no such quantile.
        """
        target = showing(self.target, quantile, self.name)
        made = copy.copy(self)
        made.__dict__.pop("content", None)
        made._read_from = None
        made.name = f"{self.name} (quantile {quantile:g})"
        made.target = target
        return made

    def predict_logits(self, batch: Batch) -> NDArray[np.float64]:
        """Return the log odds of each row, shape (n,), or the logits (n, C); explanations add up on this scale.

        Of numbers, what `predict` returns.
        """
        raw = logits(self.network, self.prepare(batch))
        return raw if self.target is None else self.target.predicted(raw)

    @property
    def facts(self) -> Mapping[str, Plain]:
        """What is known of the model; bytes and hash are those of the file that `save` writes."""
        parameters = list(self.network.parameters())
        content = self.content
        return {
            "kind": "torch",
            "runtime": "torch",
            "features": list(self.preprocessing.features),
            "parameters": sum(p.numel() for p in parameters),
            "nonzero_parameters": sum(int(p.count_nonzero()) for p in parameters),
            "network": self.plan.to_plain(),
            "stored_as": self.stored_as,
            "recipe": list(self.recipe),
            "used_sensitive": self.history.get("used_sensitive", []),
            "fit_rows": len(self.fit_row_hashes) or None,
            "training": {key: value for key, value in self.history.items() if key != "used_sensitive"},
            "preprocessing": self.preprocessing.describe(),
            **({"target": self.target.to_plain()} if self.target is not None else {}),
            "file_bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }

    @cached_property
    def content(self) -> bytes:
        """The bytes of the file that `save` writes: those read, else made once, so the network must stay."""
        return self._read_from if self._read_from is not None else _to_bytes(self)

    def save(self, path: str | Path) -> None:
        """Write the model, whole or not at all, and the fingerprints of its training rows in a second file.

        The fingerprints are in ``<path>.rows.npy``: the model alone does not reveal whether a person was among
        the training rows, while an audit that finds the file can detect rows already seen. What the
        fit cost, which differs from run to run, is in ``<path>.cost.json``; the models on the way to a compressed one
        are in ``<path>.stage1.safetensors`` and so on, and ``<path>.stages.json`` says what they are.

        Raises
        ------
        OutputError
            When the place cannot be written to.
        """
        from evenhand.output.writing import write_bytes
        from evenhand.training.rows import write_cost, write_rows

        write_bytes(Path(path), self.content)
        write_rows(Path(path), self.fit_row_hashes)
        write_cost(Path(path), self.cost)
        write_stages(Path(path), self.stages, self.content)

    def with_network(
        self,
        network: nn.Module,
        recipe: Mapping[str, Plain],
        stored_as: str = "float32",
        plan: Plan | None = None,
        pruned: list[Plain] | None = None,
    ) -> NetworkModel:
        """Return a new model with another network over the same columns, and the recipe that made it.

        The recipe's entry says how many bytes the file had before it.
        """
        return NetworkModel(
            name=f"{self.name} + {recipe['recipe']}",
            network=network,
            plan=plan or self.plan.of(network),
            preprocessing=self.preprocessing,
            threshold=self.threshold,
            history=self.history,
            fit_row_hashes=self.fit_row_hashes,
            recipe=[*self.recipe, {**recipe, "bytes_before": len(self.content)}],
            stored_as=stored_as,
            pruned=self.pruned if pruned is None else pruned,
            target=self.target,
        )

    def with_threshold(self, threshold: float, note: Mapping[str, Plain]) -> NetworkModel:
        """Return the same model with another threshold; `note` joins the entry of its last recipe."""
        return NetworkModel(
            name=self.name,
            network=self.network,
            plan=self.plan,
            preprocessing=self.preprocessing,
            threshold=threshold,
            history=self.history,
            fit_row_hashes=self.fit_row_hashes,
            recipe=[*self.recipe[:-1], {**cast("dict[str, Plain]", self.recipe[-1]), "threshold": dict(note)}],
            stored_as=self.stored_as,
            pruned=self.pruned,
            target=self.target,
        )


def predictions(raw: NDArray[np.float64], name: str, target: Target | None) -> NDArray[np.float64]:
    """Return probabilities for logits, or numbers (n,) for outputs of a network of numbers.

    Raises ModelError when one is not finite.
    """
    if target is None:
        return probabilities(raw, name)
    return check_scores(target.predicted(raw), len(raw), name)


def quantiles_of(raw: NDArray[np.float64], name: str, target: Target | None) -> NDArray[np.float64]:
    """Return quantiles (n, Q) for outputs of a network of them; raise ModelError where it is another."""
    if target is None or not target.quantiles:
        raise ModelError(f"'{name}' predicts no quantiles: fit it with quantiles=(0.1, 0.5, 0.9), say.")
    return target.values(raw)


def showing(target: Target | None, quantile: float, name: str) -> Target:
    """Return a target that shows another of its quantiles; raise ModelError where it has no such one."""
    known = () if target is None else target.quantiles
    if target is None or quantile not in known:
        told = ", ".join(f"{each:g}" for each in known) or "none"
        raise ModelError(f"'{name}' has no quantile {quantile:g}; it was fitted with quantiles {told}.")
    return dataclasses.replace(target, shown=quantile)


def probabilities(logit: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """Return probabilities for logits: (n,) of the positive class, or (n, C) whose rows sum to 1.

    Raises ModelError when a logit is not finite.
    """
    import numpy as np

    if logit.ndim == 1:
        return sigmoid(check_scores(logit, len(logit), name))
    if not np.isfinite(logit).all():
        raise ModelError(f"Model '{name}' returned {int((~np.isfinite(logit)).sum()):,} logits that are not finite.")
    return softmax(logit)


def logits(network: nn.Module, prepared: Prepared) -> NDArray[np.float64]:
    """Return the log odds of prepared rows, shape (n,), or the logits of several classes, (n, C)."""
    import torch

    network.eval()
    with torch.inference_mode():
        return pieces(lambda part: network(torch.from_numpy(part)).numpy(), prepared, spread_of(network))


def spread_of(network: nn.Module) -> int:
    """Return how many numbers a network makes of one of a row: of a token its vector, and layers four times as wide."""
    from torch import nn

    return max((4 * each.embedding_dim for each in network.modules() if isinstance(each, nn.Embedding)), default=1)


def pieces(
    ask: Callable[[NDArray[np.float32]], NDArray[np.float32]], prepared: Prepared, spread: int = 1
) -> NDArray[Any]:
    """Return the outputs of a network for prepared rows, in pieces that fit in memory.

    `spread`: how many numbers it makes of one of a row.
    """
    import numpy as np

    at_once = max(1, AT_ONCE * CELLS // max(CELLS, spread * math.prod(prepared.shape[1:])))
    parts = [ask(prepared[at : at + at_once]).astype(np.float64) for at in range(0, max(1, len(prepared)), at_once)]
    found = np.concatenate(parts)
    return found.reshape(-1) if found.ndim == 2 and found.shape[-1] == 1 else found


def _to_bytes(model: NetworkModel) -> bytes:
    """Return the file of a model; the same model gives the same bytes."""
    need("safetensors", "torch")
    import torch
    from safetensors.torch import save

    kept = getattr(torch, model.stored_as)
    state = model.network.state_dict()
    tied = tied_names(model.network)
    tensors = {
        # counters of batch normalization are whole numbers and stay so
        name: (value.detach().to(kept) if value.is_floating_point() else value.detach()).contiguous()
        for name, value in state.items()
        if name not in tied
    }
    about: dict[str, Plain] = {
        "format": FORMAT,
        "name": model.name,
        "threshold": model.threshold,
        "network": model.plan.to_plain(),
        "preprocessing": model.preprocessing.to_plain(),
        "history": model.history,
        "recipe": model.recipe,
        "stored_as": model.stored_as,
        "fit_rows": len(model.fit_row_hashes) or None,
        **({"pruned": model.pruned} if model.pruned else {}),
        **({"tied": tied} if tied else {}),
        **({"target": model.target.to_plain()} if model.target is not None else {}),
    }
    return save(tensors, {KEY: as_text(about)})


def tied_names(network: nn.Module) -> dict[str, Plain]:
    """Return names of a network's parameters that are another one under a second name, and that one's name.

    Such are the embedding and the last layer of many language models; a file holds the numbers once.
    """
    first: dict[int, str] = {}
    tied: dict[str, Plain] = {}
    for name, parameter in network.named_parameters(remove_duplicate=False):
        known = first.setdefault(id(parameter), name)
        if known != name:
            tied[name] = known
    return tied


def as_text(about: Mapping[str, Plain]) -> str:
    """Return the description of a file as JSON; deterministic."""
    return json.dumps(about, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def read_about(text: str, damaged: str) -> tuple[dict[str, Plain], int]:
    """Return the description of a file and its version; raise ModelError with `damaged` where it is damaged."""
    try:
        about = cast("dict[str, Plain]", parse_json(text, "the description", kind=ModelError, strict=True))
        return about, int(cast("int", about["format"]))
    except (ModelError, ValueError, KeyError, TypeError):
        raise ModelError(damaged) from None
