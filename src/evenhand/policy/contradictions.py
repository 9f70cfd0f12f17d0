"""Whether the counts of a record can be those of one table: parts sum to wholes, and errors fit their counts."""

from __future__ import annotations

import math
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.errors import shorten
from evenhand.findings import MOST_MOMENTS
from evenhand.metrics.answers.counts import arrays

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.findings import AuditRecord, GroupCounts
    from evenhand.metrics.counts.arrays import Column, Floats

COUNTED: Final = ("subject", "original", "joint", "strata", "scores")
"""The tallies that are counts of rows."""
ROUNDING: Final = 1e-9
"""Relative to the whole: sums of weights in another order."""


class _Part:
    """One grouping of a record, as arrays (G, cells)."""

    def __init__(self, held: GroupCounts) -> None:
        self.held, self.name = held, _name(held)
        counts, weights, squared, moments, clusters = arrays(held)
        assert counts is not None  # a schema asks for them
        size = len(held.groups)
        self.shape = counts.shape
        self.counts = np.asarray(counts.reshape(size, -1), dtype=np.int64)
        self.weights, self.squared = (_floats(part, (size, -1)) for part in (weights, squared))
        self.moments = _floats(moments, (size, self.cells, self.cells))
        self.clusters = None if clusters is None else np.asarray(clusters.reshape(size, -1), dtype=np.int64)

    @property
    def cells(self) -> int:
        """The cells of each group."""
        return int(self.counts.shape[1])

    @property
    def sums(self) -> list[tuple[str, NDArray[np.generic]]]:
        """What adds up over groups."""
        named = (("counts", self.counts), ("weights", self.weights), ("squared weights", self.squared))
        return [(name, part) for name, part in named if part is not None]


def _floats(part: Column | None, shape: tuple[int, ...]) -> Floats | None:
    return None if part is None else np.asarray(part.reshape(shape), dtype=np.float64)


def contradictions(record: AuditRecord) -> Iterator[str]:
    """Yield what in the counts of a record contradicts the rest of them, or what the record says of its data."""
    parts: dict[tuple[str, tuple[str, ...]], _Part] = {}
    for held in (part for part in record.tallies if part.model in COUNTED):
        wrong = _shape_problem(held)
        if wrong or (held.model, held.columns) in parts:
            yield f"the counts {_name(held)} {wrong or 'are there twice'}."
            return
        parts[held.model, held.columns] = _Part(held)
    for part in parts.values():
        yield from _impossible(part)
    yield from _of_data(record, parts)
    yield from _of_strata(record, parts)
    yield from _sums(parts)
    yield from _of_scores(record, parts)


def left_out(held: GroupCounts) -> bool:
    """Whether sums over clusters were left out because they are too many."""
    if held.clusters is None or held.moments is not None or held.model not in COUNTED:
        return False
    return _moments_of(held) > MOST_MOMENTS


def _moments_of(held: GroupCounts) -> int:
    """Return how many sums over clusters a grouping has."""
    counts = np.asarray(held.counts)
    return int(len(counts) * math.prod(counts.shape[1:]) ** 2)


def _name(held: GroupCounts) -> str:
    of = f"over {', '.join(map(shorten, held.columns))}" if held.columns else "of all rows"
    return f"of '{held.model}' {of}"


def _shape_problem(held: GroupCounts) -> str:
    """Return why the parts of a grouping do not fit together; empty where they do."""
    try:
        counts, *more = (None if part is None else np.asarray(part) for part in _raw(held))
        assert counts is not None  # a schema asks for them
        kinds = all(part is None or part.dtype.kind in "if" for part in more)
        if counts.dtype.kind != "i" or not kinds:
            return "hold something other than numbers"
    except (ValueError, OverflowError):
        return "have rows of different lengths, or numbers that are too great"
    weights, squared, moments, clusters = more
    fits = counts.ndim == len(held.axes) and len(counts) == len(held.groups)
    fits = fits and all(part is None or part.shape == counts.shape for part in (weights, squared))
    fits = fits and (weights is None) == (squared is None) and all(len(g) == len(held.columns) for g in held.groups)
    cells = math.prod(counts.shape[1:])
    if moments is not None and (clusters is None or moments.size != len(counts) * cells**2):
        fits = False
    if clusters is not None and (len(clusters) != len(counts) or clusters.dtype.kind != "i"):
        fits = False
    if not fits:
        return "do not fit together"
    if len(set(held.groups)) < len(held.groups):
        return "name a group twice"
    if held.model in ("subject", "original", "strata") and counts.ndim == 3 and counts.shape[1] != counts.shape[2]:
        return "do not fit together"
    return ""


def _raw(held: GroupCounts) -> tuple[object, ...]:
    return held.counts, held.weights, held.squared_weights, held.moments, held.clusters


def _impossible(part: _Part) -> Iterator[str]:
    """Yield why no rows could have these counts, weights and sums over clusters."""
    counts = part.counts
    if (counts < 0).any():
        yield f"the counts {part.name} are below 0."
        return
    if part.weights is not None and part.squared is not None:
        weights, squared, slack = part.weights, part.squared, 1 + ROUNDING
        finite = np.isfinite(weights).all() and np.isfinite(squared).all()
        least, most = weights**2 <= counts * squared * slack + 1e-300, squared <= weights**2 * slack
        if not (finite and (weights >= 0).all() and (squared >= 0).all() and least.all() and most.all()):
            yield f"no rows could have the sums of weights and of squared weights {part.name}."
    if part.clusters is not None and part.moments is not None:
        yield from _impossible_clusters(part)
    elif part.clusters is not None and not left_out(part.held):
        yield f"the sums over clusters {part.name} were left out, though they are few."


def _impossible_clusters(part: _Part) -> Iterator[str]:
    """Yield why no clusters of these rows could have these sums."""
    moments, clusters = part.moments, part.clusters
    assert moments is not None  # checked by the caller
    assert clusters is not None
    mass = (part.counts if part.weights is None else part.weights).astype(np.float64)
    alone = (part.counts if part.squared is None else part.squared).astype(np.float64)
    own = np.einsum("gii->gi", moments)
    number = clusters[:, :1].astype(np.float64)
    rows = part.counts.sum(axis=1, keepdims=True)
    slack = ROUNDING * np.maximum(mass**2, 1)
    wrong = (moments < 0).any() or not np.allclose(moments, moments.swapaxes(1, 2), rtol=ROUNDING, atol=0)
    wrong = wrong or (own < alone - slack).any() or (own > mass**2 + slack).any()
    wrong = wrong or (mass**2 > own * number + slack).any()
    wrong = wrong or (number > rows).any() or ((number < 1) != (rows < 1)).any()
    if not wrong:
        scale = np.maximum(own.max(axis=1), 1)
        wrong = bool((np.linalg.eigvalsh(moments)[:, 0] < -1e-7 * scale).any())
    if wrong:
        yield f"no clusters could have the sums {part.name}."


def _of_data(record: AuditRecord, parts: dict[tuple[str, tuple[str, ...]], _Part]) -> Iterator[str]:
    """Yield where counts contradict what the record says of its rows, features, classes and clusters."""
    data = record.provenance.get("data")
    whole = parts.get(("subject", ()))
    if data is None:
        return
    if whole is None:
        yield "it has no counts of all rows."
        return
    total = int(whole.counts.sum())
    if "rows" in data and data["rows"] != total:
        yield f"it is of {data['rows']:,} rows, and its counts are of {total:,}."
    features = set(data.get("sensitive_features", []))
    counted = {columns[0] for model, columns in parts if model == "subject" and len(columns) == 1}
    if features != counted:
        named = sorted(features ^ counted)[0]
        yield (
            f"'{shorten(named)}' is {'counted, and no' if named in counted else 'a'} sensitive feature of the record"
            + ("." if named in counted else " without counts.")
        )
    if len(whole.shape) == 3:
        classes = len(data["classes"]) if "classes" in data else 2
        if whole.shape[1] != classes:
            yield f"it is of {classes} classes, and its counts are of {whole.shape[1]}."
    roles = data.get("roles", {})
    clustered = roles.get("cluster") is not None and roles.get("frequency") is None
    weighted = roles.get("sample_weight") is not None or whole.weights is not None
    for part in parts.values():
        if len(part.shape) < 3 or part.held.model == "scores":
            continue
        if "roles" in data and clustered != (part.clusters is not None):
            yield f"rows are {'' if clustered else 'not '}in clusters, unlike the counts {part.name}."
        if weighted != (part.weights is not None):
            yield f"rows are {'' if weighted else 'not '}weighted, unlike the counts {part.name}."


def _of_strata(record: AuditRecord, parts: dict[tuple[str, tuple[str, ...]], _Part]) -> Iterator[str]:
    """Yield where labelled rows of a stratum, which both decisions make, do not stand for a whole number of rows."""
    if record.provenance.get("data", {}).get("roles", {}).get("stratum_share") is None:
        return
    for part in parts.values():
        if part.held.model == "joint" and part.weights is not None and len(part.shape) == 4:
            rows = part.weights.reshape(part.shape).sum(axis=1)
            if (np.abs(rows - np.round(rows)) > 1e-6 * np.maximum(rows, 1)).any():
                yield f"labelled rows {part.name} stand for no whole number of rows."


def _sums(parts: dict[tuple[str, tuple[str, ...]], _Part]) -> Iterator[str]:
    """Yield where the sums over groups, crossings or models are not those of the whole."""
    for (model, columns), part in parts.items():
        for fewer in combinations(columns, max(len(columns) - 1, 0)) if columns else ():
            whole = parts.get(("subject" if model == "strata" else model, fewer))
            if whole is not None and (model != "strata" or fewer == columns[:-1]):
                yield from _merged(part, whole, [columns.index(column) for column in fewer])
        if model == "joint" and len(part.shape) == 4 and part.held.axes[2:] == ("original", "predicted"):
            for other, axis in (("subject", 2), ("original", 3)):
                if (margin := parts.get((other, columns))) is not None:
                    yield from _margin(part, margin, axis)


def _merged(part: _Part, whole: _Part, kept: list[int]) -> Iterator[str]:
    """Yield where groups of one grouping do not sum to those of a coarser one."""
    places = {group: at for at, group in enumerate(whole.held.groups)}
    to = [places.get(tuple(group[at] for at in kept), -1) for group in part.held.groups]
    told = f"the counts {part.name} do not sum to those {whole.name}."
    if -1 in to or part.cells != whole.cells:
        yield told
        return
    others = dict(whole.sums)
    for name, cells in part.sums:
        out = np.zeros((len(places), part.cells))
        np.add.at(out, to, cells)
        if name in others and not _equal(out, others[name]):
            yield told.replace("the counts", f"the {name}")
    if part.moments is not None and whole.moments is not None:
        inside = np.zeros_like(whole.moments)
        np.add.at(inside, to, part.moments)
        # a cluster in two groups has more in their sum than in each: (a + b)^2 is at least a^2 + b^2
        if (inside > whole.moments * (1 + ROUNDING) + ROUNDING).any():
            yield told.replace("the counts", "the sums over clusters")
    if part.clusters is not None and whole.clusters is not None:
        some, all_of = (p.clusters[:, 0] for p in (part, whole) if p.clusters is not None)
        found = np.zeros(len(places), dtype=np.int64)
        np.add.at(found, to, some)
        most = np.zeros(len(places), dtype=np.int64)
        np.maximum.at(most, to, some)
        if (all_of > found).any() or (all_of < most).any():
            yield told.replace("the counts", "the numbers of clusters")


def _margin(joint: _Part, margin: _Part, axis: int) -> Iterator[str]:
    """Yield where the joint counts are not those of one of both models."""
    told = f"the joint counts of both models are not those {margin.name}."
    if joint.held.groups != margin.held.groups:
        yield told
        return
    others = dict(margin.sums)
    for name, cells in joint.sums:
        if name in others and not _equal(
            cells.reshape(joint.shape).sum(axis=axis).reshape(len(cells), -1), others[name]
        ):
            yield told.replace("joint counts", f"joint {name}")
    if joint.moments is None or margin.moments is None:
        return
    to = np.zeros((8, 4))
    for at, (truth, *decisions) in enumerate(np.ndindex(2, 2, 2)):
        to[at, 2 * truth + decisions[0 if axis == 3 else 1]] = 1
    folded = np.einsum("gij,ik,jl->gkl", joint.moments, to, to)
    same = joint.clusters is None or margin.clusters is None or (joint.clusters[:, 0] == margin.clusters[:, 0]).all()
    if not same or not _equal(folded.reshape(len(folded), -1), margin.moments.reshape(len(folded), -1)):
        yield told.replace("joint counts", "joint sums over clusters")


def _of_scores(record: AuditRecord, parts: dict[tuple[str, tuple[str, ...]], _Part]) -> Iterator[str]:
    """Yield where counts by score are not those of the same rows, or thresholds not those they were counted at."""
    edges = record.provenance.get("score_edges")
    scored = [part for part in parts.values() if part.held.model == "scores"]
    if scored and edges is None:
        yield "it has counts by score, and does not say at which thresholds."
    if edges is None:
        return
    if any(one >= other for one, other in pairwise(edges)):
        yield "the thresholds of its counts by score are not in order."
    used = record.provenance.get("subject", {}).get("threshold")
    if used is not None and used not in edges:
        yield f"it decides at the threshold {used:g}, at which its scores were not counted."
    for part in scored:
        if part.shape[-1] != len(edges) + 1 or len(part.shape) != 3:
            yield f"the counts {part.name} are not of its {len(edges)} thresholds."
        elif (whole := parts.get(("subject", part.held.columns))) is not None and len(whole.shape) == 3:
            truths = part.counts.reshape(part.shape).sum(axis=2)
            if truths.shape != whole.shape[:2] or (truths != whole.counts.reshape(whole.shape).sum(axis=2)).any():
                yield f"the counts {part.name} are not those of its decisions."


def _equal(some: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    one, two = some.astype(np.float64), other.astype(np.float64)
    return one.shape == two.shape and bool((np.abs(one - two) <= ROUNDING * np.maximum(np.abs(two).sum(), 1)).all())
