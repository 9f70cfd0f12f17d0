"""What every room's tests share: one thread, and real data that ships with a package."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# no test fails because a machine is busy
settings.register_profile("evenhand", deadline=None)
settings.load_profile("evenhand")

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data sets beside a developer's checkout; tests that need it are skipped elsewhere."""
    named = os.environ.get("EVENHAND_SHARED")
    place = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    if not (place / "data").is_dir():
        pytest.skip("the data sets beside a developer's checkout are not here")
    return place / "data"
