"""What the tests of the pages share: an address, a policy, names that would act, and loans."""

from __future__ import annotations

import numpy as np
import pandas as pd

PORT, TOKEN = 8417, "the-token"
ADDRESS = f"http://127.0.0.1:{PORT}"
POLICY = """schema = 1
[limits]
"accuracy" = { at_least = 0.6 }
"selection_rate_ratio[race]" = { at_least = 0.8 }
"recall[race=*]" = { at_least = 0.3 }
"roc_auc" = { at_least = 0.5 }
"importance[income]" = { at_least = 0.001 }
"""
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\u202eright to left",
    "a, [b]; c=d *&t=1",
    "::error::",
)


def score(X: pd.DataFrame) -> np.ndarray:
    """Return the scores of the model that is audited."""
    return np.round(np.asarray(1 / (1 + np.exp(X["debt"] - X["income"] - 0.3 * (X["area"] == "south")))), 2)


def table(rows: int = 900, seed: int = 4) -> pd.DataFrame:
    """Return loans in which the model errs more in the south."""
    rng = np.random.default_rng(seed)
    race = rng.choice(["Black", "Hispanic", "White"], rows, p=[0.3, 0.1, 0.6])
    made = pd.DataFrame(
        {
            "income": rng.normal(size=rows) + (race == "White"),
            "debt": rng.normal(size=rows),
            "area": rng.choice(["north", "south", "west"], rows),
            "race": race,
            "sex": rng.choice(["f", "m"], rows),
        }
    )
    noise = np.where(made["area"] == "south", 4.0, 0.5)
    made["paid"] = (made["income"] - made["debt"] + noise * rng.normal(size=rows) > 0).astype(int)
    return made
