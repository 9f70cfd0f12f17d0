"""A backbone and a head as one plan, which a model's file describes in plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

    from evenhand.findings import Plain
    from evenhand.training.networks import NetworkPlan
    from evenhand.training.plan import Plan


class BodyPlan(Protocol):
    """What a backbone is built from: plain numbers and names."""

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths of its layers, each of which has one tensor at least."""
        ...

    def build(self) -> nn.Module:
        """Return the network, from prepared rows to numbers; its weights are of no meaning."""
        ...

    def to_plain(self) -> dict[str, Plain]:
        """Return the plan as plain JSON data."""
        ...


@dataclass(frozen=True, slots=True)
class TransferredPlan:
    """A backbone under a head."""

    kind: ClassVar[str] = "transferred"
    """Which network: a transferred one."""
    body: BodyPlan
    """The backbone."""
    head: NetworkPlan
    """The head over its numbers."""

    @property
    def outputs(self) -> int:
        """Logits, those of the head."""
        return self.head.outputs

    @property
    def members(self) -> tuple[BodyPlan | NetworkPlan, ...]:
        """Both, whose layers are counted before they are built."""
        return self.body, self.head

    def build(self) -> nn.Module:
        """Return the network of both."""
        return joined(self.body.build(), self.head.build())

    def of(self, network: nn.Module) -> Plan:
        """Return the plan of a network that differs from this one at most in sizes."""
        from evenhand.training.resized import changed_plan

        changed = changed_plan(self, network)
        return changed if changed.sizes else self

    def to_plain(self) -> dict[str, Plain]:
        """Return the plan as plain JSON data."""
        return {"kind": self.kind, "backbone": self.body.to_plain(), "head": self.head.to_plain()}


def joined(body: nn.Module, head: nn.Module) -> nn.Module:
    """Return a backbone and a head as one network."""
    from collections import OrderedDict

    from torch import nn

    return nn.Sequential(OrderedDict(backbone=body, flat=nn.Flatten(), head=head))


def body_from_plain(plain: Mapping[str, Plain], read: Callable[[Mapping[str, Plain]], Plan]) -> BodyPlan:
    """Return what `to_plain` was called on; `read` reads the plan of a network.

    Raises KeyError, TypeError or ValueError when `plain` is something else.
    """
    from evenhand.training.backbones.pretrained import PretrainedBody
    from evenhand.training.backbones.trained import TrainedBody

    if plain["kind"] == "trained":
        return TrainedBody.from_plain(plain, read)
    if plain["kind"] == "transformers":
        return PretrainedBody.from_plain(plain)
    raise ValueError(f"no known backbone: {plain['kind']!r}")
