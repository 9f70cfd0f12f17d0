"""Where rows lie, so that alike ones can be found: any table has places, in numbers that are finite."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evenhand.evidence.consistency import MOST_KINDS, places


@pytest.mark.parametrize("size", [1e300, 1.0, 1e-300])
def test_places_do_not_depend_on_units(size: float) -> None:
    numbers = np.array([1.0, 2.0, 4.0, np.nan, np.inf])
    with np.errstate(all="raise"):
        found = places(pd.DataFrame({"x": numbers * size}))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, places(pd.DataFrame({"x": numbers})), rtol=1e-9)


def test_what_tells_every_row_apart_makes_no_columns() -> None:
    rows = MOST_KINDS + 1
    notes = pd.DataFrame({"note": [f"row {at}" for at in range(rows)], "kind": ["a", "b"] * (rows // 2) + ["a"]})
    assert places(notes).shape == (rows, 1 + 2)


def test_a_constant_column_keeps_rows_together() -> None:
    assert not places(pd.DataFrame({"one": [3.0] * 4, "none": [np.nan] * 4})).any()
