"""Attacks on one small network beside those of torchattacks: robust accuracy, and processor seconds.

The network reads images of digits (1,000 to fit, 797 to attack; each number moved by at most 0.1 of 0 to 1). The peers
live in an environment of their own, whose Python EVENHAND_ATTACK_PEERS names (constraints/attacks_peers.txt). Writes
benchmarks/results/attacks.json and its table in docs/benchmarks.md. Run it with: make bench NAMES=attacks
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from measuring import machine, skip, write
from sklearn.datasets import load_digits

from evenhand.probing.attacks import attack, gradients_of, search_squares, threat_of
from evenhand.probing.attacks.answers import answers_of
from evenhand.probing.attacks.climbing import fgsm, noise, pgd
from evenhand.subjects import as_subject
from evenhand.subjects.of_task import TaskSubject

if TYPE_CHECKING:
    from collections.abc import Callable

BUDGET: Final = 0.1
QUERIES: Final = 500
PEERS: Final = """
import json, sys, time
import numpy as np, torch, torchattacks
torch.set_num_threads(1)
held = np.load(sys.argv[1])
model = torch.jit.load(sys.argv[2]).eval()
x, y = torch.from_numpy(held["images"]), torch.from_numpy(held["truth"])
made = {
    "fgsm": torchattacks.FGSM(model, eps=0.1),
    "pgd-20": torchattacks.PGD(model, eps=0.1, alpha=0.025, steps=20),
    "square": torchattacks.Square(model, norm="Linf", eps=0.1, n_queries=500, seed=0),
    "autoattack": torchattacks.AutoAttack(model, norm="Linf", eps=0.1, seed=0),
}
found = {}
for name in sys.argv[3].split(","):
    torch.manual_seed(0)
    start = time.process_time()
    moved = made[name](x, y)
    took = time.process_time() - start
    assert float((moved - x).abs().max()) <= 0.1 + 1e-6
    with torch.no_grad():
        found[name] = {"robust": float((model(moved).argmax(1) == y).double().mean()), "cpu": took}
print(json.dumps(found))
"""


def fitted() -> tuple[Any, np.ndarray, np.ndarray]:
    """Return a convolutional network, and images that it never saw with their classes."""
    torch.manual_seed(0)
    images, truth = load_digits(return_X_y=True)
    images = (images.reshape(-1, 1, 8, 8) / 16).astype("float32")
    order = np.random.default_rng(0).permutation(len(images))
    train, test = order[:1_000], order[1_000:]
    nn = torch.nn
    network = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    x, y = torch.from_numpy(images[train]), torch.from_numpy(truth[train])
    for _ in range(15):
        for part in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(x[part]), y[part]).backward()
            optimizer.step()
    return network.eval(), images[test], truth[test]


def theirs(network: Any, images: np.ndarray, truth: np.ndarray, names: str) -> dict[str, Any]:
    """Return what torchattacks does to the same network and images."""
    python = os.environ.get("EVENHAND_ATTACK_PEERS") or skip("EVENHAND_ATTACK_PEERS names no Python with torchattacks")
    with tempfile.TemporaryDirectory() as folder:
        data, model = Path(folder) / "images.npz", Path(folder) / "model.pt"
        np.savez(data, images=images, truth=truth)
        torch.jit.trace(network, torch.from_numpy(images[:2])).save(str(model))
        command = [python, "-c", PEERS, str(data), str(model), names]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Attack with each, and write what stands."""
    torch.set_num_threads(1)
    network, images, truth = fitted()
    subject = TaskSubject(as_subject(network, output="logit", reads="arrays"), "multiclass", tuple(range(10)))
    answer, model, threat = (
        answers_of(subject, several=True),
        gradients_of(subject, images),
        threat_of(images, budget=BUDGET),
    )
    assert model is not None
    ways: dict[str, Callable[[], np.ndarray]] = {
        "clean": lambda: images,
        "noise": lambda: noise(images, threat, 0),
        "fgsm": lambda: fgsm(model, images, truth, threat),
        "pgd-20": lambda: pgd(model, images, truth, threat, 0, starts=1),
        "pgd-20 x 5": lambda: pgd(model, images, truth, threat, 0),
        "square": lambda: search_squares(answer, images, truth, threat, QUERIES, 0),
    }
    ours = {}
    for name, way in ways.items():
        start = time.process_time()
        moved = way()
        ours[name] = {"robust": float(answer(moved, truth)[0].mean()), "cpu": time.process_time() - start}
    start = time.process_time()
    whole = attack(subject, images, truth, threat, several=True, queries=QUERIES)
    ours["all, with checks"] = {"robust": float(whole.standing.mean()), "cpu": time.process_time() - start}
    peer = theirs(network, images, truth, ",".join(NAMED.values()))
    figures = {
        "evenhand": ours, "torchattacks": peer, "unreliable": list(map(str, whole.unreliable)), **machine("torch"),
    }  # fmt: skip
    told = f"Measures robust accuracy of {len(truth)} images, and CPU seconds of each attack."
    write("attacks", figures, lines(ours, peer), told)


NAMED: Final = {
    "fgsm": "fgsm", "pgd-20": "pgd-20", "square": "square", "all, with checks": "autoattack",
}  # fmt: skip
"""The attacks of both, the strongest last."""


def lines(ours: dict[str, dict[str, float]], peer: dict[str, dict[str, float]]) -> list[str]:
    """Return the table: what each attack leaves, and how long it takes beside the peer's."""
    made = ["| attack | right decisions left | torchattacks | CPU seconds | ratio to torchattacks |", "|" + "---|" * 5]
    for name, said in ours.items():
        other = peer.get(NAMED.get(name, ""))
        cells = ["", "", ""] if other is None else [f"{other['robust']:.3f}", "", f"{said['cpu'] / other['cpu']:.2f} x"]
        words = f"{name} (AutoAttack there)" if NAMED.get(name) == "autoattack" else name
        made.append(f"| {words} | {said['robust']:.3f} | {cells[0]} | {said['cpu']:.1f} | {cells[2]} |")
    return made


if __name__ == "__main__":
    main()
