"""Augmentation: random changes of the rows of a training step, against overfitting."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from evenhand.training.schedule import Schedule


def changes(schedule: Schedule) -> bool:
    """Return whether the schedule requires any change."""
    return bool(schedule.shift or schedule.noise or schedule.mixup)


def change(schedule: Schedule, columns: torch.Tensor, answer: torch.Tensor) -> None:
    """Change a step's rows, which are a copy, in place, as the schedule requires.

    `columns` (n, ...): prepared columns or images; `answer` (n, k + 1): targets and weights.
    """
    if schedule.shift:
        columns.copy_(shifted(columns, schedule.shift))
    if schedule.noise:
        import torch

        columns.add_(torch.randn_like(columns), alpha=schedule.noise)
    if schedule.mixup:
        mix(columns, answer, schedule.mixup)


def mix(columns: torch.Tensor, answer: torch.Tensor, alpha: float) -> None:
    """Mix each row with another by one share of a Beta(alpha, alpha) distribution, columns and labels.

    Source: Zhang, Cisse, Dauphin and Lopez-Paz 2018, "mixup: beyond empirical risk minimization".
    """
    import torch

    share = torch.distributions.Beta(alpha, alpha).sample()
    others = torch.randperm(len(columns))
    for values in (columns, answer):
        values.copy_(share * values + (1 - share) * values[others])


def shifted(images: torch.Tensor, most: int) -> torch.Tensor:
    """Return images (n, channels, height, width), each moved by up to `most` pixels each way; zeros come in."""
    import torch

    n, _, height, width = images.shape
    moves = torch.randint(0, 2 * most + 1, (2, n))
    rows = torch.arange(height) + moves[0, :, None]
    places = torch.arange(width) + moves[1, :, None]
    padded = torch.nn.functional.pad(images, (most, most, most, most)).transpose(0, 1)
    return padded[:, torch.arange(n)[:, None, None], rows[:, :, None], places[:, None, :]].transpose(0, 1)
