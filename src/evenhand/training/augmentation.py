"""Augmentation: random changes of the rows of a training step, against overfitting."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import torch

    from evenhand.training.schedule import Schedule


CHANGES: Final = ("shift", "flip", "rotate", "crop", "colour", "noise", "mixup")
"""Settings of a schedule of which each changes rows."""


def changes(schedule: Schedule) -> bool:
    """Return whether the schedule requires any change."""
    return any(getattr(schedule, name) for name in CHANGES)


def change(schedule: Schedule, columns: torch.Tensor, answer: torch.Tensor) -> None:
    """Change a step's rows, which are a copy, in place, as the schedule requires.

    `columns` (n, ...): prepared columns or images; `answer` (n, k + 1): targets and weights.
    """
    if schedule.shift:
        columns.copy_(shifted(columns, schedule.shift))
    if columns.ndim == 4 and (schedule.flip or schedule.rotate or schedule.crop):
        columns.copy_(drawn_again(columns, schedule.flip, schedule.rotate, schedule.crop))
    if columns.ndim == 4 and schedule.colour:
        columns.copy_(recoloured(columns, schedule.colour))
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


def drawn_again(images: torch.Tensor, flip: bool, rotate: float, crop: float) -> torch.Tensor:
    """Return images (n, channels, height, width), each mirrored, turned and cut in a way of its own.

    `flip`: half of them are mirrored, left for right; `rotate`: degrees at most, each way; `crop`: the share of the
    sides at most that is cut away, anywhere. One bilinear drawing does all three; at edges the nearest pixel goes on.
    """
    import torch

    n, _, height, width = images.shape
    chance = torch.rand(5, n)
    mirrored = torch.where(chance[0] < 0.5, -1.0, 1.0) if flip else torch.ones(n)
    angle = (2 * chance[1] - 1) * math.radians(rotate)
    side = 1 - crop * chance[2]
    across, down = ((2 * chance[at] - 1) * (1 - side) for at in (3, 4))
    cos, sin, ratio = angle.cos() * side, angle.sin() * side, height / width
    places = torch.stack(
        [
            torch.stack([mirrored * cos, -mirrored * sin * ratio, across], dim=1),
            torch.stack([sin / ratio, cos, down], dim=1),
        ],
        dim=1,
    ).to(images)
    grid = torch.nn.functional.affine_grid(places, list(images.shape), align_corners=False)
    drawn = torch.nn.functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    return torch.as_tensor(drawn)


def recoloured(images: torch.Tensor, most: float) -> torch.Tensor:
    """Return images with brightness, contrast and, where there are three channels, saturation of each changed.

    Prepared pixels are about mean 0 and deviation 1: brightness adds up to `most` deviations; the distance from an
    image's own mean, and of its channels from its gray, goes by a factor of 1 - `most` to 1 + `most`.
    """
    import torch

    brightness, contrast, saturation = ((2 * torch.rand(3, len(images), 1, 1, 1) - 1) * most).to(images)
    gray = images.mean(dim=1, keepdim=True)
    if images.shape[1] == 3:
        images = gray + (images - gray) * (1 + saturation)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return torch.as_tensor(mean + (images - mean) * (1 + contrast) + brightness)
