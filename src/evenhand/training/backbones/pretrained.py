"""A network of transformers under a head: built from its settings, which are plain data, never by code of a folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from evenhand.errors import ModelError, need
from evenhand.subjects.huggingface.folder import offline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from evenhand.findings import Plain

_OF_FILES: Final = (
    "architectures", "auto_map", "dtype", "torch_dtype", "transformers_version", "_name_or_path", "id2label",
    "label2id", "problem_type", "quantization_config",
)  # fmt: skip
"""Settings that say nothing of the network's layers, or ask for code or other numbers."""
_LAYERS: Final = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")


@dataclass(frozen=True, slots=True)
class PretrainedBody:
    """A network of transformers without its head, and how its states become one row of numbers.

    Raises
    ------
    ValueError
        When it is of no kind that is known.
    """

    config: Mapping[str, Plain]
    """Its settings, those of config.json."""
    reads: str
    """Texts or arrays."""
    pooling: str
    """Whether states are averaged (mean), or the first is taken (first)."""
    normalized: bool = False
    """Whether the numbers are divided by their length."""
    size: tuple[int, int] | None = None
    """Height and width of images."""

    def __post_init__(self) -> None:
        if self.reads not in ("texts", "arrays") or self.pooling not in ("mean", "first"):
            raise ValueError(f"no known backbone: {self.reads!r}, {self.pooling!r}")

    @property
    def hidden(self) -> tuple[int, ...]:
        """As many widths as it says to have layers."""
        told = (self.config.get(name) for name in _LAYERS)
        layers = next((each for each in told if isinstance(each, int)), 0)
        return (1,) * min(max(layers, 0), 1 << 20)

    def build(self) -> nn.Module:
        """Return the network."""
        need("torch", "torch")
        transformers = need("transformers", "text")
        from evenhand.training.backbones.bodies import OfImages, OfTexts

        kept = {name: value for name, value in self.config.items() if name not in _OF_FILES}
        kind = str(kept.pop("model_type"))
        with offline():
            config = transformers.AutoConfig.for_model(kind, **kept)
            network = bare(transformers.AutoModel.from_config(config, attn_implementation="eager"))
        if self.reads == "texts":
            return OfTexts(network, self.pooling, self.normalized)
        return OfImages(network, self.pooling, self.size)

    def around(self, network: Any) -> nn.Module:
        """Return the backbone around a network of transformers that has its weights."""
        made = self.build()
        bare(network)
        made.network.load_state_dict(network.state_dict())  # type: ignore[union-attr]
        return made.eval()

    def to_plain(self) -> dict[str, Plain]:
        """Return the plan as plain JSON data."""
        return {
            "kind": "transformers", "config": dict(self.config), "reads": self.reads, "pooling": self.pooling,
            "normalized": self.normalized, "size": None if self.size is None else list(self.size),
        }  # fmt: skip

    @classmethod
    def from_plain(cls, plain: Mapping[str, Plain]) -> PretrainedBody:
        """Return what `to_plain` was called on.

        Raises KeyError, TypeError or ValueError when `plain` is something else.
        """
        size = cast("list[int] | None", plain["size"])
        height, width = size if size is not None else (0, 0)
        return cls(
            cast("dict[str, Plain]", plain["config"]),
            str(plain["reads"]),
            str(plain["pooling"]),
            bool(plain["normalized"]),
            None if size is None else (int(height), int(width)),
        )


def bare(network: Any) -> Any:
    """Return a network without the layer that only its own head reads, and without a memory of what it read."""
    pooler = getattr(network, "pooler", None)
    if pooler is not None and next(pooler.parameters(), None) is not None:
        network.pooler = None
    if getattr(network.config, "use_cache", False):
        network.config.use_cache = False
    return network


def refuse_two_parts(config: Mapping[str, object], path: object) -> None:
    """Raise ModelError for a model of an encoder and a decoder."""
    if config.get("is_encoder_decoder"):
        raise ModelError(f"'{path}' holds an encoder and a decoder; a backbone is one network: save its encoder alone.")
