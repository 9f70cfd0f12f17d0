"""Attacks stay within their budget, find what is there, and say where they cannot be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from evenhand.errors import InputError
from evenhand.probing.attacks import attack, attack_columns, gradients_of, search_squares, threat_of
from evenhand.probing.attacks.answers import of_two
from evenhand.subjects import as_subject
from evenhand.subjects.of_task import TaskSubject

if TYPE_CHECKING:
    import pandas as pd

torch = pytest.importorskip("torch")
DIGITS = tuple(range(10))


def several(module: Any, output: str = "logit") -> TaskSubject:
    """A torch module as an audit sees it: bound to ten classes."""
    return TaskSubject(as_subject(module, output=output, reads="arrays"), "multiclass", DIGITS)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def digits() -> tuple[Any, np.ndarray, np.ndarray]:
    """A small network over images of digits, and 200 images that it never saw."""
    from sklearn.datasets import load_digits

    torch.manual_seed(0)
    images, truth = load_digits(return_X_y=True)
    images = (images.reshape(-1, 1, 8, 8) / 16).astype("float32")
    order = np.random.default_rng(0).permutation(len(images))
    train, test = order[:1_000], order[1_000:1_200]
    nn = torch.nn
    network = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 32), nn.ReLU(),
        nn.Linear(32, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    x, y = torch.from_numpy(images[train]), torch.from_numpy(truth[train])
    for _ in range(12):
        for part in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(x[part]), y[part]).backward()
            optimizer.step()
    return network.eval(), images[test], truth[test]


def test_more_steps_turn_more_than_one_and_one_more_than_noise(digits: tuple[Any, np.ndarray, np.ndarray]) -> None:
    network, images, truth = digits
    found = attack(several(network), images, truth, threat_of(images, budget=0.1), several=True, queries=100)
    left = {name: float(marks.mean()) for name, marks in found.right.items()}
    assert found.gradients
    assert left["none"] > 0.9
    assert left["pgd"] <= left["fgsm"] < left["noise"] <= left["none"]
    assert left["fgsm"] - left["pgd"] > 0.02
    assert left["noise"] - left["fgsm"] > 0.15
    assert found.unreliable == ()
    np.testing.assert_array_equal(found.standing, found.right["pgd"] & found.right["square"])


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_no_move_leaves_budget_or_range_and_the_subject_itself_decides(
    digits: tuple[Any, np.ndarray, np.ndarray], norm: Any
) -> None:
    network, images, truth = digits
    subject, threat = several(network), threat_of(images, norm, 0.1 if norm == "linf" else 0.5)
    found = attack(subject, images, truth, threat, several=True, queries=30)
    moved = (found.moved.astype(np.float64) - images).reshape(len(images), -1)
    length = np.abs(moved).max(axis=1) if norm == "linf" else np.linalg.norm(moved, axis=1)
    assert length.max() <= threat.radius + 1e-6
    assert found.moved.min() >= 0
    assert found.moved.max() <= 1
    right = subject.predict(found.moved).argmax(axis=1) == truth
    np.testing.assert_array_equal(right, found.standing)
    assert found.standing.mean() < found.right["none"].mean() - 0.2


def test_images_of_whole_numbers_are_moved_by_whole_numbers(digits: tuple[Any, np.ndarray, np.ndarray]) -> None:
    network, images, truth = digits
    whole = (images * 255).round().astype(np.uint8)

    class Scaled(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.inner = network

        def forward(self, rows: Any) -> Any:
            return self.inner(rows.float() / 255)

    found = attack(several(Scaled()), whole, truth, threat_of(whole, budget=0.1), several=True, queries=30)
    assert found.moved.dtype == np.uint8
    assert np.abs(found.moved.astype(int) - whole).max() <= 25
    of_fractions = attack(several(network), images, truth, threat_of(images, budget=0.1), several=True, queries=30)
    assert found.standing.mean() == pytest.approx(of_fractions.standing.mean(), abs=0.06)


def test_a_network_of_rounded_activations_hides_its_gradients_and_is_found_out(
    digits: tuple[Any, np.ndarray, np.ndarray],
) -> None:
    network, images, truth = digits

    class Rounded(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.inner = network

        def forward(self, rows: Any) -> Any:
            return self.inner(torch.round(rows * 8) / 8)

    found = attack(several(Rounded()), images, truth, threat_of(images, budget=0.1), several=True, queries=200)
    assert found.unreliable
    assert found.right["pgd"].mean() > found.right["square"].mean() + 0.05, "gradients alone would call it robust"


def test_a_saturated_softmax_hides_its_gradients_and_is_found_out(digits: tuple[Any, np.ndarray, np.ndarray]) -> None:
    network, images, truth = digits

    class Saturated(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.inner = network

        def forward(self, rows: Any) -> Any:
            return torch.softmax(self.inner(rows) * 1_000, dim=1)

    subject = several(Saturated(), "probability")
    found = attack(subject, images, truth, threat_of(images, budget=0.1), several=True, queries=200)
    assert found.unreliable


def test_a_model_without_gradients_is_searched_by_squares(digits: tuple[Any, np.ndarray, np.ndarray]) -> None:
    network, images, truth = digits

    def scores(rows: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(torch.softmax(network(torch.from_numpy(rows)), dim=1).double().numpy())

    subject = TaskSubject(scores, "multiclass", DIGITS, reads="arrays")
    found = attack(subject, images, truth, threat_of(images, budget=0.1), several=True, queries=300)
    assert not found.gradients
    assert set(found.right) == {"none", "noise", "square"}
    assert found.right["square"].mean() < found.right["noise"].mean() - 0.1


def test_few_questions_do_less_and_it_is_said_that_the_attack_is_no_good(
    digits: tuple[Any, np.ndarray, np.ndarray],
) -> None:
    _, images, truth = digits
    subject = TaskSubject(lambda rows: np.eye(10)[np.full(len(rows), 3)], "multiclass", DIGITS, reads="arrays")
    found = attack(subject, images, truth, threat_of(images), several=True, queries=5)
    assert found.unreliable, "a model that answers the same to all rows gives an attack nothing to follow"


def test_gradients_are_had_of_networks_that_evenhand_fits_and_they_are_those_of_their_predictions() -> None:
    import evenhand as eh
    from evenhand.training import TrainingConfig, fit

    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 300)
    images = rng.uniform(0, 100, (300, 6, 6, 1)).astype("float32")
    images[:, :3, :, 0] += 40 * truth[:, None, None]
    data = eh.read_evaluation_set({"y": truth}, label="y", inputs=images)
    model = fit(data, config=TrainingConfig(epochs=3, network="cnn", hidden=(4,)))
    found = gradients_of(model, images)
    assert found is not None
    said = found.scores(torch.from_numpy(images[:20]))
    assert ((said[:, 1] >= said[:, 0]).numpy() == (model.predict(images[:20]) >= model.threshold)).all()
    one = found.scores(torch.from_numpy(images[:1])) - found.scores(torch.from_numpy(images[1:2]))
    odds = model.predict_logits(images[:2])
    assert float((one[0, 1] - one[0, 0]).detach()) == pytest.approx(odds[0] - odds[1], abs=1e-3)


@pytest.mark.parametrize(
    ("output", "columns"), [("logit", 1), ("logit", 2), ("probability", 1), ("probability", 2), ("ranking", 1)]
)
def test_two_classes_are_turned_where_their_threshold_is(output: Any, columns: int) -> None:
    torch.manual_seed(1)
    linear = torch.nn.Linear(4, columns)
    ends: dict[tuple[str, int], Any] = {("probability", 1): torch.nn.Sigmoid(), ("probability", 2): torch.nn.Softmax(1)}
    module = torch.nn.Sequential(linear, ends.get((output, columns), torch.nn.Identity()))
    rows = np.random.default_rng(0).normal(size=(200, 4)).astype("float32")
    base = as_subject(module, output=output, reads="arrays")
    cut = float(np.quantile(base.predict(rows), 0.3))
    subject = as_subject(module, output=output, reads="arrays", threshold=cut)
    found = gradients_of(subject, rows)
    assert found is not None
    said = found.scores(torch.from_numpy(rows))
    agree = ((said[:, 1] >= said[:, 0]).numpy() == (subject.predict(rows) >= cut)).mean()
    assert agree > 0.99


def test_a_linear_model_is_broken_exactly_where_the_budget_reaches_the_border() -> None:
    weights = np.array([1.0, -2.0, 0.5], dtype="float32")
    module = torch.nn.Linear(3, 1)
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(weights[None]))
        module.bias.zero_()
    rows = np.random.default_rng(0).uniform(-1, 1, (400, 3)).astype("float32")
    truth = (rows @ weights >= 0).astype(int)
    threat = threat_of(rows, budget=0.05)
    found = attack(as_subject(module, output="logit", reads="arrays"), rows, truth, threat, queries=50)
    reach = threat.radius * np.abs(weights).sum()
    inner = np.abs(rows).max(axis=1) < 1 - threat.radius  # the range stops none of these
    exact = np.abs(rows @ weights) > reach
    np.testing.assert_array_equal(found.standing[inner], exact[inner])
    reached = found.right["fgsm"][inner], found.right["pgd"][inner]
    np.testing.assert_array_equal(*reached)


def test_the_same_seed_gives_the_same_attack(digits: tuple[Any, np.ndarray, np.ndarray]) -> None:
    network, images, truth = digits
    twice = [
        attack(
            several(network), images[:60], truth[:60], threat_of(images, budget=0.1), several=True, queries=40, seed=3
        )
        for _ in range(2)
    ]
    np.testing.assert_array_equal(twice[0].moved, twice[1].moved)


def test_a_search_works_on_the_decisions_alone_and_on_lines_of_numbers() -> None:
    rows = np.random.default_rng(0).uniform(0.55, 0.6, (30, 12))

    def hard(asked: Any, truth: Any) -> tuple[Any, Any]:
        found: tuple[Any, Any] = of_two((asked.mean(axis=1) >= 0.5).astype(float), truth, 0.5)
        return found

    found = search_squares(hard, rows, np.ones(30, dtype=int), threat_of(rows, budget=0.3), 200, seed=0)
    assert hard(found, np.ones(30, dtype=int))[0].mean() < 0.2


def loans() -> pd.DataFrame:
    import pandas as pd

    rng = np.random.default_rng(0)
    return pd.DataFrame({"income": rng.integers(10, 90, 300), "age": rng.integers(20, 60, 300), "job": "clerk"})


def test_columns_of_a_table_move_within_their_range_and_stay_whole() -> None:
    table, asked = loans(), []

    def score(rows: pd.DataFrame) -> np.ndarray:
        asked.append(rows)
        return np.asarray(rows["income"] / 100)

    truth = (table["income"] >= 50).to_numpy().astype(int)
    found = attack_columns(as_subject(score), table, truth, ["income"], table, budget=0.1, queries=60)
    seen = np.concatenate([rows["income"].to_numpy() for rows in asked])
    assert seen.min() >= 10
    assert seen.max() <= 89
    assert (seen % 1 == 0).all()
    assert all((rows["age"].isin(table["age"])).all() and (rows["job"] == "clerk").all() for rows in asked)
    reach = int(0.1 * (table["income"].max() - table["income"].min()))
    exact = np.where(truth == 1, table["income"] - reach >= 50, table["income"] + reach < 50)
    np.testing.assert_array_equal(found.standing, exact)


def test_columns_that_cannot_move_are_all_named() -> None:
    with pytest.raises(InputError, match=r"incme.*income") as wrong:
        attack_columns(as_subject(lambda rows: rows["age"] / 100), loans(), np.ones(300), ["incme", "job"], loans())
    assert "job" in str(wrong.value)
