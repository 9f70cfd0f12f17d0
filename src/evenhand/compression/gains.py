"""What a compression gained, in sentences that claim no more than was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evenhand.compression.footprint import Footprint


def gain_sentence(original: Footprint, compressed: Footprint) -> str:
    """Return size and speed in one text; it holds times, so it differs from run to run."""
    return f"{size_sentence(original, compressed)} {speed_sentence(original, compressed)}".strip()


def size_sentence(original: Footprint, compressed: Footprint) -> str:
    """Return what happened to the file and to the parameters; the same for the same models.

    Examples
    --------
    >>> from evenhand.compression import Footprint
    >>> old, new = (Footprint(b, p, p, p, {}, {}, "network", "torch", 1) for b, p in ((9000, 2000), (4000, 800)))
    >>> size_sentence(old, new)
    'The file is 2.2 times smaller (9.0 kB to 4.0 kB) with 2.5 times fewer parameters (2,000 to 800).'
    """
    if not original.file_bytes or not compressed.file_bytes:
        return "There are no two files to compare in size."
    text = f"The file is {_size(original.file_bytes, compressed.file_bytes)}"
    if original.parameters and compressed.parameters and original.parameters != compressed.parameters:
        fewer = original.parameters / compressed.parameters
        counts = f"({original.parameters:,} to {compressed.parameters:,})"
        text += f" with {fewer:.1f} times fewer parameters {counts}"
    return f"{text}.{_zeros(original, compressed)}"


def speed_sentence(original: Footprint, compressed: Footprint) -> str:
    """Return what happened to the time of a call, by the ratio of the minima of one run, slower or faster."""
    batches = sorted(set(original.latency) & set(compressed.latency))
    if not batches:
        return ""
    parts = [
        f"{_speed(original.latency[b].minimum / compressed.latency[b].minimum)} for {_rows(b)} at a time "
        f"({_time(original.latency[b].median)} to {_time(compressed.latency[b].median)})"
        for b in batches
    ]
    what = "The network alone" if original.measures == "network" else "A prediction"
    text = f"{what} is {', '.join(parts)}, on {compressed.threads} thread."
    if original.runtime != compressed.runtime:
        text += f" A part of that is the change from {original.runtime} to {compressed.runtime}, not the compression."
    return text + _whole(original, compressed)


def _whole(original: Footprint, compressed: Footprint) -> str:
    """Say what is left of it once the table's preprocessing counts too."""
    if original.measures != "network":
        return ""
    batches = sorted(set(original.end_to_end) & set(compressed.end_to_end))
    parts = [
        f"{_speed(original.end_to_end[b].minimum / compressed.end_to_end[b].minimum)} for {_rows(b)}" for b in batches
    ]
    return f" With the preprocessing of the table it is {', '.join(parts)}." if parts else ""


def _zeros(original: Footprint, compressed: Footprint) -> str:
    """Say that zeros in a dense file are no gain by themselves."""
    if not compressed.parameters or compressed.nonzero_parameters is None or original.nonzero_parameters is None:
        return ""
    zero = 1 - compressed.nonzero_parameters / compressed.parameters
    if zero < 0.1 or compressed.parameters != original.parameters:
        return ""
    return f" {zero:.0%} of its parameters are zero, which by itself makes a dense model neither smaller nor faster."


def _size(before: int, after: int) -> str:
    ratio = before / after
    kinds = f"({_bytes(before)} to {_bytes(after)})"
    if ratio > 1.05:
        return f"{ratio:.1f} times smaller {kinds}"
    return f"{1 / ratio:.1f} times larger {kinds}" if ratio < 1 / 1.05 else f"as large as before {kinds}"


def _speed(ratio: float) -> str:
    if ratio > 1.1:
        return f"{ratio:.1f} times faster"
    return f"slower ({ratio:.1f}x)" if ratio < 1 / 1.1 else "about as fast"


def _rows(batch: int) -> str:
    return "one row" if batch == 1 else f"{batch:,} rows"


def _bytes(size: int) -> str:
    return f"{size / 1e3:.1f} kB" if size < 1e6 else f"{size / 1e6:.1f} MB"


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms"
