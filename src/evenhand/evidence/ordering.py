"""One order of sums, so that a record is the same on one thread and on many.

A product of matrices that several threads share is summed in another order, and its last digits differ. They would
differ in every record. So libraries of linear algebra and torch get one thread while an audit runs; a model that brings
threads of its own, as boosted trees do, keeps them, since its rows are summed one by one.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def one_thread() -> Iterator[None]:
    """Let linear algebra and torch run on one thread inside the block."""
    import scipy.special  # noqa: F401  # brings scipy's BLAS: one that is loaded inside the block would not be limited
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it has none

    with ExitStack() as stack:
        stack.enter_context(threadpool_limits(1, user_api="blas"))
        if (torch := sys.modules.get("torch")) is not None:
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(1)
        yield
