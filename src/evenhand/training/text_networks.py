"""Networks over the tokens of texts, described by a few plain numbers that are saved with the weights."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

from evenhand.errors import InputError, argument, did_you_mean, need
from evenhand.training.config import ATTENDING, LONGEST_TEXT, TEXT_NETWORKS, TextNetwork

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from evenhand.findings import Plain
    from evenhand.training.config import TrainingConfig
    from evenhand.training.plan import Plan
    from evenhand.training.tokenization import Tokenization

TextKind: TypeAlias = Literal["text_mlp"] | TextNetwork
"""Layers of neurons over the mean of all tokens, or a network of `TextNetwork`."""
TEXT_KINDS: Final[tuple[str, ...]] = ("text_mlp", *TEXT_NETWORKS)


@dataclass(frozen=True, slots=True)
class TextPlan:
    """A network over rows of token ids, with one logit a class.

    Raises
    ------
    InputError
        For sizes that make no network.

    Examples
    --------
    >>> plan = TextPlan("lstm", vocabulary=300, length=12, outputs=1, hidden=(8,))
    >>> plan.shape, plan.build().last.out_features
    ((12,), 1)
    """

    kind: TextKind
    """Which network."""
    vocabulary: int
    """Different ids; each has a vector, as wide as the first layer."""
    length: int
    """Ids of a row; id 0 fills rows up, and the network does not look at it."""
    outputs: int
    """Logits: one per class, or one for two classes."""
    hidden: tuple[int, ...] = (64, 64)
    """Width of each layer; of bert and gpt2 all the same."""
    dropout: float = 0.0
    """Share of neurons left out in training."""
    heads: int = 4
    """Heads of the attention of bert and gpt2."""

    def __post_init__(self) -> None:
        if self.kind not in TEXT_KINDS:
            near = did_you_mean(self.kind, TEXT_KINDS)
            raise InputError(f"There is no network over texts '{self.kind}'; known are {', '.join(TEXT_KINDS)}.{near}")
        if not self.hidden or min(self.hidden) < 1 or self.vocabulary < 1 or self.outputs < 1:
            raise InputError(f"A {self.kind} needs a vocabulary, a width of each layer and an output.")
        if not 1 <= self.length <= LONGEST_TEXT:
            raise InputError(f"A {self.kind} reads 1 to {LONGEST_TEXT:,} ids a row, not {self.length:,}.")
        if self.kind in ATTENDING and (len(set(self.hidden)) > 1 or self.heads < 1 or self.hidden[0] % self.heads):
            raise InputError(
                f"Layers of {self.kind} are of one width, a multiple of its {self.heads} heads, not {self.hidden!r}."
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row."""
        return (self.length,)

    def narrower(self, hidden: tuple[int, ...]) -> TextPlan:
        """Return the plan of a network of its kind with such layers; heads are as many as go into their width."""
        fitting = max(each for each in range(1, self.heads + 1) if not hidden or hidden[0] % each == 0)
        return replace(self, hidden=hidden, heads=fitting)

    def build(self) -> nn.Module:
        """Return the network: (n, length) ids to (n, outputs) logits. Weights are drawn from torch's generator."""
        need("torch", "torch")
        from evenhand.training.text.attention import Bert, Gpt2
        from evenhand.training.text.recurrent import Lstm, MeanTokens

        sizes = self.vocabulary, self.outputs, self.hidden, self.dropout
        if self.kind in ATTENDING:
            return (Bert if self.kind == "bert" else Gpt2)(*sizes, self.heads, self.length)
        return (Lstm if self.kind == "lstm" else MeanTokens)(*sizes)

    def of(self, network: nn.Module) -> Plan:
        """Return the plan of a network that differs from this one at most in sizes."""
        from evenhand.training.resized import changed_plan

        changed = changed_plan(self, network)
        return changed if changed.sizes else self

    def to_plain(self) -> dict[str, Plain]:
        """Return the plan as plain JSON data."""
        return {**asdict(self), "hidden": list(self.hidden)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Plain]) -> TextPlan:
        """Return what `to_plain` was called on.

        Raises KeyError, TypeError or ValueError when `plain` is something else.
        """
        if plain["kind"] not in TEXT_KINDS:
            raise ValueError(f"no known network: {plain['kind']!r}")
        vocabulary, length, outputs, heads = (
            int(cast("int", plain[name])) for name in ("vocabulary", "length", "outputs", "heads")
        )
        hidden = tuple(int(cast("int", size)) for size in cast("list[Plain]", plain["hidden"]))
        dropout = float(cast("float", plain["dropout"]))
        return cls(cast("TextKind", plain["kind"]), vocabulary, length, outputs, hidden, dropout, heads)


def plan_of_texts(config: TrainingConfig, tokens: Tokenization, outputs: int) -> TextPlan:
    """Return the plan of the network that settings name, over texts.

    Raises
    ------
    InputError
        When it is one over columns or images, or rows are to be changed as only numbers can be.
    """
    if config.network != "mlp" and config.network not in TEXT_NETWORKS:
        raise InputError(
            f"A {config.network} reads columns of a table or images, and these rows are texts: {argument('network')} "
            f"is mlp or one of {', '.join(TEXT_NETWORKS)}."
        )
    if changed := [name for name in ("noise", "mixup", "shift") if getattr(config, name)]:
        raise InputError(f"{argument(changed[0])} changes numbers, and these rows are the tokens of texts: leave it 0.")
    if not config.hidden:
        raise InputError(f"{argument('hidden')} names no layer, and a network over texts has one at least: 64, say.")
    kind = cast("TextKind", "text_mlp" if config.network == "mlp" else config.network)
    return TextPlan(kind, tokens.vocabulary, tokens.length, outputs, config.hidden, config.dropout, config.heads)


def refuse_no_texts(network: str, reads: str) -> None:
    """Raise InputError for a network over texts where rows are none."""
    if network in TEXT_NETWORKS:
        raise InputError(
            f"A {network} reads texts, and these rows are {'a table' if reads == 'table' else reads}: name the column "
            f"of texts by {argument('texts')}, or pass a list of them as {argument('inputs')}."
        )
