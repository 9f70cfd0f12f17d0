"""What an audit limits to one thread is loaded before it is limited."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import threadpoolctl
import scipy.special
libraries = {found["filepath"] for found in threadpoolctl.threadpool_info() if found["user_api"] == "blas"}
import scipy.linalg
assert libraries == {found["filepath"] for found in threadpoolctl.threadpool_info() if found["user_api"] == "blas"}
"""


def test_special_functions_bring_the_linear_algebra_of_scipy() -> None:
    """Loading all of scipy.linalg for its library alone takes a tenth of a first audit."""
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, timeout=60)
