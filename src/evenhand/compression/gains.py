"""What a compression gained, in sentences that claim no more than was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.messages import message, messages, sentences

if TYPE_CHECKING:
    from evenhand.compression.footprint import Footprint


def gain_sentence(original: Footprint, compressed: Footprint) -> str:
    """Return size and speed in one text; its times differ from run to run.

    Parameters
    ----------
    original, compressed : Footprint
        Measured in one run.

    Examples
    --------
    >>> from evenhand.compression import Footprint
    >>> old, new = (Footprint(b, p, p, p, {}, {}, "network", "torch", 1) for b, p in ((9000, 2000), (4000, 800)))
    >>> gain_sentence(old, new).startswith("The file is 2.2 times smaller")
    True
    """
    return sentences(size_sentence(original, compressed), speed_sentence(original, compressed))


def size_sentence(original: Footprint, compressed: Footprint) -> str:
    """Return what happened to the file and to the parameters; the same for the same models.

    Parameters
    ----------
    original, compressed : Footprint
        Of both models.

    Examples
    --------
    >>> from evenhand.compression import Footprint
    >>> old, new = (Footprint(b, p, p, p, {}, {}, "network", "torch", 1) for b, p in ((9000, 2000), (4000, 800)))
    >>> size_sentence(old, new)
    'The file is 2.2 times smaller (9.0 kB to 4.0 kB) with 2.5 times fewer parameters (2,000 to 800).'
    """
    if not original.file_bytes or not compressed.file_bytes:
        return message("There are no two files to compare in size.")
    size = _size(original.file_bytes, compressed.file_bytes)
    text = message("The file is {size}.", size=size)
    if original.parameters and compressed.parameters and original.parameters != compressed.parameters:
        text = message(
            "The file is {size} with {fewer:.1f} times fewer parameters ({before:,} to {after:,}).",
            size=size,
            fewer=original.parameters / compressed.parameters,
            before=original.parameters,
            after=compressed.parameters,
        )
    return sentences(text, _zeros(original, compressed))


def speed_sentence(original: Footprint, compressed: Footprint) -> str:
    """Return what happened to the time of a call, by the ratio of the minima of one run, slower or faster.

    Parameters
    ----------
    original, compressed : Footprint
        Measured in one run.

    Examples
    --------
    >>> from evenhand.compression import Footprint, Latency
    >>> old, new = ({1: Latency(t, t, 60)} for t in (4e-5, 2e-5))
    >>> both = [Footprint(9000, 10, 10, 10, times, {}, "network", "torch", 1) for times in (old, new)]
    >>> speed_sentence(*both).startswith("The network alone is 2.0 times faster")
    True
    """
    batches = sorted(set(original.latency) & set(compressed.latency))
    if not batches:
        return ""
    parts = [
        message(
            "{speed} for {rows} at a time ({before} to {after})",
            speed=_speed(original.latency[b].minimum / compressed.latency[b].minimum),
            rows=_rows(b),
            before=_time(original.latency[b].median),
            after=_time(compressed.latency[b].median),
        )
        for b in batches
    ]
    network = message("The network alone is {speeds}, on {threads} thread.")
    what = network if original.measures == "network" else message("A prediction is {speeds}, on {threads} thread.")
    text, changed = message(what, speeds=tuple(parts), threads=compressed.threads), ""
    if original.runtime != compressed.runtime:
        changed = message(
            "A part of that is the change from {before} to {after}, not the compression.",
            before=original.runtime,
            after=compressed.runtime,
        )
    return sentences(text, changed, _whole(original, compressed))


def _whole(original: Footprint, compressed: Footprint) -> str:
    """Describe the gain including the table's preprocessing."""
    if original.measures != "network":
        return ""
    batches = sorted(set(original.end_to_end) & set(compressed.end_to_end))
    parts = [
        message(
            "{speed} for {rows}",
            speed=_speed(original.end_to_end[b].minimum / compressed.end_to_end[b].minimum),
            rows=_rows(b),
        )
        for b in batches
    ]
    told = message("With the preprocessing of the table it is {speeds}.", speeds=tuple(parts))
    return told if parts else ""


def _zeros(original: Footprint, compressed: Footprint) -> str:
    """Note that zeros in a dense file are not a gain by themselves."""
    if not compressed.parameters or compressed.nonzero_parameters is None or original.nonzero_parameters is None:
        return ""
    zero = 1 - compressed.nonzero_parameters / compressed.parameters
    if zero < 0.1 or compressed.parameters != original.parameters:
        return ""
    return message(
        "{zero:.0%} of its parameters are zero, which by itself makes a dense model neither smaller nor faster.",
        zero=zero,
    )


def _size(before: int, after: int) -> str:
    ratio = before / after
    sizes = {"before": _bytes(before), "after": _bytes(after)}
    if ratio > 1.05:
        return message("{ratio:.1f} times smaller ({before} to {after})", ratio=ratio, **sizes)
    if ratio < 1 / 1.05:
        return message("{ratio:.1f} times larger ({before} to {after})", ratio=1 / ratio, **sizes)
    return message("as large as before ({before} to {after})", **sizes)


def _speed(ratio: float) -> str:
    if ratio > 1.1:
        return message("{ratio:.1f} times faster", ratio=ratio)
    return message("slower ({ratio:.1f}x)", ratio=ratio) if ratio < 1 / 1.1 else message("about as fast")


def _rows(batch: int) -> str:
    return messages("one row", "{n:,} rows", batch)


def _bytes(size: int) -> str:
    return f"{size / 1e3:.1f} kB" if size < 1e6 else f"{size / 1e6:.1f} MB"


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms"
