"""Inputs larger than memory: what is read at once, how often, and how much memory an audit and a fit need for it."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.data.inputs import Inputs
from evenhand.evidence.keeping import Keeping
from evenhand.training import ImagePlan, NetworkModel, Normalization, TrainingConfig, dataset, fit, load_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.findings import Plain

N, SHAPE = 900, (1, 4, 4)


@dataclass
class Watched:
    """An array that notes how many rows are read at once, and all that are."""

    values: NDArray[Any]
    seen: list[int] = field(default_factory=list)

    def read(self, rows: NDArray[np.intp] | slice) -> NDArray[Any]:
        found = self.values[rows]
        self.seen.append(len(found))
        return found


def images(rows: int = N) -> tuple[EvaluationSet, Watched]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, rows)
    held = Watched((rng.normal(size=(rows, *SHAPE)) + 1.5 * y[:, None, None, None]).astype(np.float32))
    table = pd.DataFrame({"y": y, "sex": rng.choice(["f", "m"], rows), "age": rng.integers(20, 60, rows)})
    known: dict[str, Any] = {"label": "y", "sensitive_features": "sex"}
    return eh.read_evaluation_set(table, inputs=Inputs("arrays", rows, held.read, 64), name="images", **known), held


def mean(batch: Any) -> Any:
    return 1 / (1 + np.exp(-batch.mean(axis=(1, 2, 3))))


def test_an_audit_holds_one_batch_and_reads_each_row_a_few_times(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    data, held = images()
    record = eh.audit(mean, data, keeping=Keeping(tmp_path / "kept.parquet", b"0" * 16), explain=False)
    assert record["accuracy"].support == N
    assert max(held.seen) == 64, "no more than a batch at once"
    once = sum(held.seen) / N
    assert once <= 2.1, "once to be scored and once to be fingerprinted, and a batch for the time it takes"
    counted = sum(held.seen)
    held.seen.clear()
    eh.audit(mean, data)
    assert sum(held.seen) - counted <= 64, "maps read the images that are drawn for them, of however many"
    held.seen.clear()
    eh.audit(mean, data, original=lambda batch: mean(batch) * 0.99, footprint=True)
    assert max(held.seen) == 256, "the largest batch whose time is taken"


def test_a_fit_reads_what_memory_cannot_keep_batch_by_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network is the same to the bit; only where its rows are kept differs."""
    pytest.importorskip("torch")
    plan = ImagePlan("image_mlp", SHAPE, 1, (8,))
    config = TrainingConfig(epochs=3, batch_size=32, seed=0)
    kept = fit(images()[0], config=config, plan=plan)
    data, held = images()
    monkeypatch.setattr(dataset, "MOST_KEPT", 0)
    streamed = fit(data, config=config, plan=plan)
    assert isinstance(dataset.prepared(streamed.preprocessing, data), dataset.PreparedRows)
    assert max(held.seen) < len(data) * 0.9
    rows = np.asarray(data.inputs.take(slice(200)).whole())
    np.testing.assert_array_equal(streamed.predict(rows), kept.predict(rows))
    np.testing.assert_array_equal(streamed.fit_row_hashes, kept.fit_row_hashes)
    record = eh.audit(streamed, data)
    assert record.provenance["rows_seen_in_training"] == N


def test_normalization_is_learnt_batch_by_batch() -> None:
    data, held = images()
    found = Normalization.fit(data.inputs)
    assert max(held.seen) == 64
    assert (found.shape, found.rows) == (SHAPE, N)
    assert found.mean == pytest.approx(held.values.mean(), rel=1e-5)
    assert found.scale == pytest.approx(held.values.std(), rel=1e-5)


def test_a_model_saved_when_a_pixel_was_a_column_reads_arrays_now(tmp_path: Path) -> None:
    """Its answers are those of before; fingerprints of columns say nothing of arrays and are left aside."""
    pytest.importorskip("torch")
    data, _ = images()
    model = fit(data, config=TrainingConfig(epochs=1, hidden=(4,), seed=0))

    class Columns(Normalization):
        def to_plain(self) -> dict[str, Plain]:
            return {**Normalization.to_plain(self), "kind": "grid", "prefix": "pixel"}

    own = model.preprocessing
    assert isinstance(own, Normalization)
    old = NetworkModel(
        name="old", network=model.network, plan=model.plan, threshold=0.5, history={},
        preprocessing=Columns(own.shape, own.mean, own.scale, own.rows), fit_row_hashes=model.fit_row_hashes,
    )  # fmt: skip
    old.save(tmp_path / "old.safetensors")
    again = load_model(tmp_path / "old.safetensors")
    rows = np.asarray(data.inputs.whole())
    np.testing.assert_array_equal(again.predict(rows), model.predict(rows))
    assert eh.audit(again, data, explain=False).provenance["rows_seen_in_training"] is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "rows"),
    [("array file", 20_000), ("image files", 20_000), ("text column", 200_000), ("text file", 200_000)],
)
def test_images_and_texts_are_audited_in_less_than_300_megabytes(kind: str, rows: int) -> None:
    if kind == "image files":
        pytest.importorskip("PIL")
    place = Path(__file__).parents[2] / "benchmarks" / "inputs.py"
    spec = importlib.util.spec_from_file_location("benchmark_of_inputs", place)
    assert spec is not None and spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    assert benchmark.measured(kind, rows)["needed_mb"] < 300
