"""The answers of two models to the same documents."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError, argument, quoted, raise_all, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from evenhand.data.lm_logs.samples import Log, LogReading, Sample

NAMED: Final = 5
"""Documents, or tasks, that a sentence names."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Answers of a model, each beside that of the original where there is one."""

    pairs: tuple[tuple[Sample, Sample | None], ...]
    """Answers that are compared."""
    unpaired: tuple[str, ...] = ()
    """What only one log has."""
    dropped: tuple[str, ...] = ()
    """What has no score."""


def paired(new: Log, old: Log | None, reading: LogReading) -> Paired:
    """Pair answers by task, document and epoch.

    Raises
    ------
    InputError
        When nothing is shared, documents of one number differ, prompts or settings differ and that was not allowed, or
        answers have no score and nothing says what they count.
    """
    before = {} if old is None else _by_place(old)
    after = _by_place(new)
    shared = [place for place in after if old is None or place in before]
    if old is not None:
        raise_all(InputError, _apart(new, old, shared, reading, after, before))
    lone = [] if old is None else [*_lone(new, before), *_lone(old, after)]
    pairs = [(after[place], before.get(place)) for place in shared]
    unscored = [pair for pair in pairs if any(each is not None and each.score is None for each in pair)]
    if unscored and reading.lm_unscored == "refuse":
        raise InputError(
            f"{new.name}: {len(unscored):,} of {len(pairs):,} answers have no score ({_named(map(_place, unscored))}). "
            f"Say what they count: {argument('lm_unscored', 'wrong')}, or leave these documents out of both logs: "
            f"{argument('lm_unscored', 'drop')}."
        )
    if reading.lm_unscored == "drop":
        left = {pair[0].place for pair in unscored}
        pairs = [pair for pair in pairs if pair[0].place not in left]
        if not pairs:
            raise InputError(f"{new.name}: no answer has a score.")
        return Paired(tuple(pairs), tuple(lone), tuple(map(_place, unscored)))
    return Paired(tuple(pairs), tuple(lone))


def _by_place(log: Log) -> dict[tuple[str, str, int], Sample]:
    found = {sample.place: sample for sample in log.samples}
    if len(found) < len(log.samples):
        twice, times = Counter(sample.place for sample in log.samples).most_common(1)[0]
        raise InputError(
            f"{log.name}: task {twice[0]} has document {twice[1]}, epoch {twice[2]}, {times} times. Leave one log of "
            "each run there."
        )
    return found


def _apart(
    new: Log, old: Log, shared: list[tuple[str, str, int]], reading: LogReading,
    after: Mapping[tuple[str, str, int], Sample], before: Mapping[tuple[str, str, int], Sample],
) -> Iterator[str]:  # fmt: skip
    """Yield why the answers of two logs cannot be compared."""
    if not shared:
        tasks = [_named(sorted(each.settings)) for each in (new, old)]
        yield f"{new.name} and {old.name} share no document: the tasks are {tasks[0]}, and {tasks[1]}."
        return
    other = [place for place in shared if after[place].content != before[place].content]
    if other:
        yield (
            f"{new.name} and {old.name}: {len(other):,} of {len(shared):,} documents of the same number are different "
            f"ones ({_named(': '.join(map(str, place[:2])) for place in other)}). Run both models on one version of "
            "the data, with the same options."
        )
    graded = list(dict.fromkeys(place[0] for place in shared))
    odd = [task for task in graded if new.metrics[task] != old.metrics[task]]
    for task in odd[:NAMED]:
        yield (
            f"{new.name} and {old.name}: task {task} is graded by {quoted(new.metrics[task])} and by "
            f"{quoted(old.metrics[task])}; name one with {argument('lm_metric')}."
        )
    if reading.lm_other_settings:
        return
    way = f"The change would be that of both. Run both alike, or pass {argument('lm_other_settings', True)}."
    prompts = [place for place in shared if after[place].prompt != before[place].prompt]
    told = [
        f"{name} of {task} ({shorten(own, 40)}, {shorten(its, 40)})"
        for task in graded
        for name, own, its in _different(new.settings[task], old.settings[task])
    ]
    if told or prompts:
        said = [f"different settings: {_named(told)}"] if told else []
        said += (
            [f"different prompts for {len(prompts):,} of {len(shared):,} documents"] if prompts and not other else []
        )
        yield f"{new.name} and {old.name} were run with {'; and '.join(said) or 'different prompts'}. {way}"


def _different(one: Mapping[str, str], other: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield the settings of which both logs tell something else."""
    if one and other:
        for name in sorted({*one, *other}):
            if one.get(name) != other.get(name):
                yield name, one.get(name, "none"), other.get(name, "none")


def _lone(log: Log, others: Mapping[tuple[str, str, int], Sample]) -> Iterator[str]:
    for sample in log.samples:
        if sample.place not in others:
            yield f"{log.name}: {_of(sample)}"


def _place(pair: tuple[Sample, Sample | None]) -> str:
    return _of(pair[0])


def _of(sample: Sample) -> str:
    epoch = f", epoch {sample.epoch}" if sample.epoch > 1 else ""
    return f"{sample.task}, document {sample.document}{epoch}"


def _named(names: Iterable[str]) -> str:
    told = [*names]
    more = f" and {len(told) - NAMED:,} more" if len(told) > NAMED else ""
    return "; ".join(shorten(name, 80) for name in told[:NAMED]) + more
