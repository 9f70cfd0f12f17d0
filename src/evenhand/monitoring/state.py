"""The state of monitoring: sums of counts and what was shown so far, in one small file."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from evenhand.documents import parse_json, read_bytes
from evenhand.errors import InputError, check_kind
from evenhand.monitoring.windows import added, advanced
from evenhand.sealed import digest_of, json_text, write_sealed
from evenhand.timelines import Alarm, Moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evenhand.findings import Plain
    from evenhand.monitoring.batches import Batch
    from evenhand.monitoring.windows import Counts

NAME: Final = "evenhand-monitor-state"
SCHEMA_VERSION: Final = 1
COMPACT: Final = (",", ":")
"""What is between the parts of its JSON."""
WINDOWED: Final = ("labelled", "decided", "input", "calibration", "score.0")
"""What is summed since each starting batch; all else since the first one only."""
REMEMBERED: Final = 4096
"""The hashes of so many batches are kept, to know one that comes again."""
MOST_MOMENTS: Final = 400
"""With more moments, neighbours are merged."""

Row = tuple[int, float | None, float | None, float | None, int, str | None, float | None]
"""A point of a series: moment, estimate, low, high, rows, status, estimate of the batch alone."""


@dataclass(frozen=True, slots=True)
class State:
    """Everything that monitoring keeps from batch to batch. However many those are, its size is bounded.

    See Also
    --------
    evenhand.monitoring.Monitor : Makes one state of another and a batch.
    """

    baseline: str
    """The hash of the baseline."""
    policy: str
    """The hash of the policy."""
    error: float
    """The error of all alarms together."""
    floor: float
    """The change of a share that is not worth an alarm."""
    batches: int = 0
    """How many were taken."""
    chain: str = ""
    """The hash of the last batch, its counts and the chain before it."""
    known: tuple[str, ...] = ()
    """The first 16 digits of the hashes of the last batches."""
    last_time: str | None = None
    """The latest time of a batch."""
    windows: Mapping[int, Counts] = field(default_factory=dict)
    """The sums since each starting batch that is kept."""
    total: Counts = field(default_factory=dict)
    """Further sums since the first batch."""
    moments: tuple[Moment, ...] = ()
    """Batches as the timeline shows them."""
    points: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    """By series what was shown at each moment."""
    alarms: tuple[Alarm, ...] = ()
    """The first of each series."""
    unseen: Mapping[str, int] = field(default_factory=dict)
    """By column the rows with a value that the audit did not have."""
    late: int = 0
    """Batches whose time was before that of an earlier one."""
    sampled: int = 0
    """Batches of which a sample was counted for drift of the inputs."""
    cursor: str = ""
    """How far a log was read."""

    def knows(self, batch: str) -> bool:
        """Return whether a batch of that hash was taken before."""
        return batch[:16] in self.known

    @property
    def since_start(self) -> Counts:
        """All sums since the first batch."""
        return added(self.windows.get(0, {}), self.total)

    def position(self, batch: int) -> int:
        """Return the moment that a batch is in, by its number."""
        ends = np.cumsum([moment.merged for moment in self.moments])
        return int(np.searchsorted(ends, batch, side="right"))


def taken(state: State, batch: Batch) -> State:
    """Return the state with the counts of one more batch; nothing is judged yet."""
    names = {name for name in batch.counts if name in WINDOWED or name.split(".")[0] in WINDOWED}
    windowed = {name: cells for name, cells in batch.counts.items() if name in names}
    rest = {name: cells for name, cells in batch.counts.items() if name not in windowed}
    late = batch.time is not None and state.last_time is not None and batch.time < state.last_time
    labelled = (state.moments[-1].labelled if state.moments else 0) + batch.labelled
    unseen = {**state.unseen}
    for column, rows in batch.unseen.items():
        unseen[column] = unseen.get(column, 0) + rows
    grown = replace(
        state,
        batches=state.batches + 1,
        chain=_chained(state.chain, batch),
        known=(*state.known, batch.id[:16])[-REMEMBERED:],
        last_time=max(filter(None, (state.last_time, batch.time)), default=None),
        windows=advanced(state.windows, windowed, state.batches),
        total=added(state.total, rest),
        moments=(*state.moments, Moment(batch.name, batch.time, batch.rows, labelled)),
        unseen=unseen,
        late=state.late + late,
        sampled=state.sampled + (batch.sampled < batch.rows),
    )
    return grown if len(grown.moments) <= MOST_MOMENTS else _merged(grown)


def read_state(path: str | Path) -> State:
    """Read the state of monitoring.

    Parameters
    ----------
    path : str or Path
        The file that `write_state` wrote.

    Raises
    ------
    InputError
        When it is missing, no state, damaged, or was changed since it was written.

    Examples
    --------
    >>> read_state("nowhere.json")
    Traceback (most recent call last):
    ...
    evenhand.errors.InputError: nowhere.json: there is no such file. Make one with: evenhand monitor
    """
    place = Path(path)
    document = parse_json(read_bytes(place, kind=InputError, make="evenhand monitor"), place, kind=InputError)
    if not isinstance(document, dict) or document.get("schema") != NAME:
        raise InputError(f"{place}: this is no state of evenhand monitor. Name the file that --state wrote.")
    if document.get("schema_version") != SCHEMA_VERSION:
        raise InputError(f"{place}: the state is of another version of evenhand ({document.get('schema_version')}).")
    if digest_of(document) != document.get("digest"):
        raise InputError(
            f"{place}: the state was damaged or edited since evenhand wrote it (its digest differs). Restore the file "
            "from a copy, or begin anew with another --state: alarms then hold from there on."
        )
    return _from_plain(cast("dict[str, Any]", document))


def write_state(path: str | Path, state: State) -> None:
    """Write the state of monitoring, whole or not at all; the same state gives the same bytes.

    Parameters
    ----------
    path : str or Path
        Where it is written.
    state : State
        What `Monitor.take` returned.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.monitoring import make_baseline
    >>> rows = {"score": [0.2, 0.8] * 100, "paid": [0, 1] * 100, "sex": ["f", "m"] * 100}
    >>> data = eh.read_evaluation_set(rows, label="paid", sensitive_features="sex", score="score")
    >>> record = eh.audit_predictions(rows["paid"], y_score=rows["score"], sensitive_features={"sex": rows["sex"]})
    >>> baseline = make_baseline(data, record)
    >>> from evenhand.monitoring import Monitor
    >>> state = Monitor(baseline, eh.load_policy({"accuracy": {"at_least": 0.8}})).begin()
    >>> write_state("state.json", state)
    >>> read_state("state.json") == state
    True
    """
    check_kind("write_state(path, state)", state, State, "Monitor.take and read_state return", path)
    write_sealed(path, _to_plain(state), separators=COMPACT)


@contextmanager
def alone(path: str | Path, seconds: float = 10.0) -> Iterator[None]:
    """Hold the lock of a state for the block, so that nobody else reads it and writes another one between.

    Parameters
    ----------
    path : str or Path
        The file of the state, which may be absent; the lock is a hidden file beside it, and stays.
    seconds : float
        How long to wait for another that holds it.

    Raises
    ------
    OutputError
        When another holds it for longer.

    Examples
    --------
    >>> with alone("state.json"):
    ...     pass
    """
    from evenhand.output.locking import locked

    place = Path(os.path.realpath(path))
    with locked(place.with_name(f".{place.name}.lock"), seconds):
        yield


def _to_plain(state: State) -> dict[str, Plain]:
    document: dict[str, Any] = {
        "schema": NAME, "schema_version": SCHEMA_VERSION,
        "windows": {str(start): _lists(counts) for start, counts in sorted(state.windows.items())},
        "total": _lists(state.total),
        "moments": [asdict(moment) for moment in state.moments],
        "points": {key: [list(row) for row in rows] for key, rows in state.points.items()},
        "alarms": [{**asdict(alarm), "groups": list(alarm.groups)} for alarm in state.alarms],
        "known": list(state.known), "unseen": dict(state.unseen),
    }  # fmt: skip
    for name in ("baseline", "policy", "error", "floor", "batches", "chain", "last_time", "late", "sampled", "cursor"):
        document[name] = getattr(state, name)
    return cast("dict[str, Plain]", document)


def _from_plain(document: dict[str, Any]) -> State:
    names = ("baseline", "policy", "error", "floor", "batches", "chain", "last_time", "late", "sampled", "cursor")
    return State(
        **{name: document[name] for name in names},
        windows={int(start): _arrays(counts) for start, counts in document["windows"].items()},
        total=_arrays(document["total"]),
        moments=tuple(Moment(**part) for part in document["moments"]),
        points={key: tuple(tuple(row) for row in rows) for key, rows in document["points"].items()},
        alarms=tuple(Alarm(**{**part, "groups": tuple(part["groups"])}) for part in document["alarms"]),
        known=tuple(document["known"]), unseen=document["unseen"],
    )  # fmt: skip


def _lists(counts: Counts) -> dict[str, object]:
    return {name: cells.tolist() for name, cells in sorted(counts.items())}


def _arrays(counts: Mapping[str, object]) -> Counts:
    return {name: np.asarray(cells, dtype=np.int64) for name, cells in counts.items()}


def _chained(chain: str, batch: Batch) -> str:
    told = json_text(
        {"chain": chain, "batch": batch.id, "time": batch.time, "counts": _lists(batch.counts)}, separators=COMPACT
    )
    return hashlib.sha256(told.encode()).hexdigest()


def _merged(state: State) -> State:
    """Return a state whose older moments are merged in pairs; the latest quarter stays as it is."""
    pairs = 3 * len(state.moments) // 8
    moments = tuple(_pair(*state.moments[2 * at : 2 * at + 2]) for at in range(pairs)) + state.moments[2 * pairs :]

    def moved(at: int) -> int:
        return at // 2 if at < 2 * pairs else at - pairs

    points = {
        key: tuple({moved(row[0]): (moved(row[0]), *row[1:]) for row in rows}.values())
        for key, rows in state.points.items()
    }
    alarms = tuple(replace(alarm, at=moved(alarm.at), since=moved(alarm.since)) for alarm in state.alarms)
    return replace(state, moments=moments, points=points, alarms=alarms)


def _pair(one: Moment, other: Moment) -> Moment:
    return Moment(other.batch, other.time, one.rows + other.rows, other.labelled, one.merged + other.merged)
