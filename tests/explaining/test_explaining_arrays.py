"""Images and texts: patches and tokens as players, by an explicit map."""

from __future__ import annotations

import numpy as np
import pytest

from evenhand.errors import InputError
from evenhand.explaining import explain, explain_text, patch_players


def test_a_patch_of_an_image_is_one_player() -> None:
    rng = np.random.default_rng(0)
    X, background = rng.normal(size=(2, 1, 6, 6)), rng.normal(size=(7, 1, 6, 6))
    w = rng.normal(size=(1, 6, 6))

    def f(images: np.ndarray) -> np.ndarray:
        assert images.shape[1:] == (1, 6, 6)
        return (images * w).sum(axis=(1, 2, 3)) + images[:, 0, :3, :3].sum(axis=(1, 2)) * images[:, 0, 3:, 3:].max(
            axis=(1, 2)
        )

    players = patch_players((1, 6, 6), 3)
    found = explain(f, X, background, link="identity", players=players)
    assert found.values.shape == (2, 4) and found.exact and found.residual < 1e-12
    assert found.feature_names == ("player 0", "player 1", "player 2", "player 3")
    # the off-diagonal squares are in no interaction: their value is the linear part alone
    linear = ((X[:, None] - background[None]) * w).mean(axis=1)[:, 0]
    np.testing.assert_allclose(found.values[:, 1], linear[:, :3, 3:].sum(axis=(1, 2)), atol=1e-12)
    np.testing.assert_allclose(found.values[:, 2], linear[:, 3:, :3].sum(axis=(1, 2)), atol=1e-12)


def test_images_of_a_torch_network_by_patches_and_by_gradients() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    nn = torch.nn
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.SiLU(), nn.Flatten(), nn.Linear(4 * 64, 1)).eval()
    rng = np.random.default_rng(1)
    X, background = (rng.normal(size=(n, 1, 8, 8)).astype(np.float32) for n in (3, 20))
    players = patch_players((1, 8, 8), 4)
    exact = explain(network, X, background, link="identity", players=players)
    near = explain(network, X, background, link="identity", players=players, method="gradients")
    assert exact.exact and exact.residual < 1e-5
    assert np.linalg.norm(near.values - exact.values) < 0.1 * np.linalg.norm(exact.values)


def test_maps_that_do_not_fit_are_refused() -> None:
    X = np.zeros((2, 4, 4))
    with pytest.raises(InputError, match=r"map has shape \(2, 2\)"):
        explain(lambda a: a.sum(axis=(1, 2)), X, X, players=np.zeros((2, 2), dtype=int))
    with pytest.raises(InputError, match="rows of one shape"):
        explain(lambda a: a.sum(axis=(1, 2)), X, np.zeros((2, 3, 3)))
    with pytest.raises(InputError, match="two or three axes"):
        patch_players((4,), 2)
    assert patch_players((5, 5, 3), 2, channels_last=True).shape == (5, 5, 3)


def test_tokens_of_a_text_are_players_and_their_error_is_known() -> None:
    def score(texts: list[str]) -> list[float]:
        return [
            text.count("good") - 2.0 * ("not" in text and "good" in text) + 0.1 * text.count("film") for text in texts
        ]

    text = "not a good film , " + " ".join(f"word{number}" for number in range(25))
    found = explain_text(score, text, link="identity")
    value = dict(zip(found.feature_names, found.values[0], strict=True))
    # not x good is one interaction of two, shared by both
    assert value["0 not"] == pytest.approx(-1.0, abs=1e-9) and value["2 good"] == pytest.approx(0.0, abs=1e-9)
    assert value["3 film"] == pytest.approx(0.1)
    assert found.standard_errors is not None and found.repetitions == 10
    assert "10 random orders" in found.error_method
    assert any("one background row" in note for note in found.notes)
    with pytest.raises(InputError, match="no token"):
        explain_text(score, "   ")


def test_long_rows_by_shaps_partition() -> None:
    pytest.importorskip("shap")
    rng = np.random.default_rng(0)
    w = rng.normal(size=24)
    X, background = rng.normal(size=(2, 24)), rng.normal(size=(3, 24))
    found = explain(lambda a: a @ w, X, background, link="identity", method="shap-partition")
    np.testing.assert_allclose(found.values, (X - background.mean(axis=0)) * w, atol=1e-9)
