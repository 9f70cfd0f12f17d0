"""Footprints are measured beside each other, and the sentences claim no more than was measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evenhand.compression import Footprint, Latency, gain_sentence, measure_footprint, size_sentence, speed_sentence
from evenhand.errors import InputError
from evenhand.subjects import as_subject

OLD = Footprint(
    file_bytes=20_000,
    parameters=4000,
    nonzero_parameters=4000,
    macs=3900,
    latency={1: Latency(2e-5, 2e-5, 9), 256: Latency(4e-4, 4e-4, 9)},
    end_to_end={1: Latency(2e-3, 2e-3, 9), 256: Latency(3e-3, 3e-3, 9)},
    measures="network",
    runtime="torch",
    threads=1,
)
NEW = replace(
    OLD,
    file_bytes=8_000,
    latency={1: Latency(2.5e-5, 2.5e-5, 9), 256: Latency(1e-4, 1e-4, 9)},
    runtime="onnxruntime",
)


def test_a_loss_of_speed_is_said_as_plainly_as_a_gain() -> None:
    said = gain_sentence(OLD, NEW)
    assert "2.5 times smaller (20.0 kB to 8.0 kB)" in said
    assert "slower (0.8x) for one row at a time (20 µs to 25 µs)" in said
    assert "4.0 times faster for 256 rows" in said
    assert "change from torch to onnxruntime, not the compression" in said
    assert "With the preprocessing of the table it is about as fast for one row" in said


def test_the_sentence_on_size_holds_no_times() -> None:
    slower = replace(NEW, latency={1: Latency(1.0, 1.0, 9)})
    assert size_sentence(OLD, NEW) == size_sentence(OLD, slower)
    assert speed_sentence(OLD, NEW) != speed_sentence(OLD, slower)


def test_zeros_are_no_gain() -> None:
    said = size_sentence(OLD, replace(OLD, nonzero_parameters=800))
    assert said.startswith("The file is as large as before (20.0 kB to 20.0 kB).")
    assert "80% of its parameters are zero" in said
    assert "neither smaller nor faster" in said


def test_a_larger_file_and_no_file() -> None:
    assert "2.5 times larger" in size_sentence(NEW, OLD)
    assert "no two files" in size_sentence(replace(OLD, file_bytes=None), NEW)


def test_models_take_turns() -> None:
    calls: list[str] = []

    def listening(name: str) -> object:
        def predict(X: pd.DataFrame) -> np.ndarray:
            calls.append(f"{name}{len(X)}")
            return np.full(len(X), 0.5)

        return as_subject(predict, name=name)

    table = pd.DataFrame({"a": range(10)})
    measured = measure_footprint({"a": listening("a"), "b": listening("b")}, table, batches=(3, 25), repeats=6)  # type: ignore[dict-item]
    small, large = ([*[f"a{n}"] * 3, *[f"b{n}"] * 3, *[f"a{n}", f"a{n}", f"b{n}", f"b{n}"] * 6] for n in (3, 25))
    assert calls == [*small, *large], "each turn a call that warms up and one that is timed"
    assert measured["a"].latency[25].n == 6
    assert measured["a"].measures == "predict"
    assert measured["a"].latency == measured["a"].end_to_end
    assert (measured["a"].file_bytes, measured["a"].parameters, measured["a"].macs) == (None, None, None)
    assert 0 < measured["b"].latency[3].minimum <= measured["b"].latency[3].median


@pytest.mark.parametrize(("batches", "repeats", "rows"), [((0,), 5, 3), ((1,), 0, 3), ((1,), 5, 0), ((), 5, 3)])
def test_what_cannot_be_measured(batches: tuple[int, ...], repeats: int, rows: int) -> None:
    subject = as_subject(lambda X: np.full(len(X), 0.5))
    with pytest.raises(InputError, match="one row, one round and a batch of one"):
        measure_footprint({"a": subject}, pd.DataFrame({"a": range(rows)}), batches=batches, repeats=repeats)
