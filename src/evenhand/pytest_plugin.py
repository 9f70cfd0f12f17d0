"""Limits as test items, and one assertion for people's own tests.

With ``evenhand_record = audit.json`` and ``evenhand_policy = policy.toml`` in pytest's configuration (or
``--evenhand-record`` and ``--evenhand-policy``), every limit is an item that passes, fails, or is skipped where it
stops nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from evenhand.findings import AuditRecord
    from evenhand.policy import Judgement, Policy, Verdict


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that name a record and a policy."""
    group = parser.getgroup("evenhand")
    for name, what in (("record", "an audit.json"), ("policy", "a policy.toml"), ("baseline", "an earlier audit.json")):
        group.addoption(f"--evenhand-{name}", dest=f"evenhand_{name}", help=f"{what} whose limits become test items")
        parser.addini(f"evenhand_{name}", f"{what} whose limits become test items")


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add an item for each limit, when a record is named."""
    record, policy = _named(config, "record"), _named(config, "policy")
    if record is None:
        return
    if policy is None:
        raise pytest.UsageError("evenhand_record is named without evenhand_policy: there is nothing to judge it by.")
    node = LimitsFile.from_parent(session, path=record)
    items.extend(node.items(policy, _named(config, "baseline")))


def _named(config: pytest.Config, name: str) -> Path | None:
    said = config.getoption(f"evenhand_{name}") or config.getini(f"evenhand_{name}")
    return config.rootpath / said if said else None


class LimitsFile(pytest.File):
    """A record whose limits are items."""

    def items(self, policy: Path, baseline: Path | None) -> Iterator[LimitItem]:
        """Yield one item a judgement."""
        from evenhand.errors import EvenhandError
        from evenhand.policy import judge, load_policy
        from evenhand.records import read_record
        from evenhand.report.judged_only import names

        try:
            earlier = None if baseline is None else read_record(baseline)
            verdict = judge(read_record(self.path), load_policy(policy), baseline=earlier)
        except EvenhandError as wrong:
            raise pytest.UsageError(str(wrong)) from None
        for judgement, name in zip(verdict.judgements, names(verdict), strict=True):
            yield LimitItem.from_parent(self, name=name, judgement=judgement)

    def collect(self) -> Iterator[pytest.Item]:
        """Collect nothing by itself; the items are added when all files were collected."""
        yield from ()


class LimitItem(pytest.Item):
    """One limit."""

    def __init__(self, *, judgement: Judgement, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.judgement = judgement

    def runtest(self) -> None:
        """Fail when the limit stops a release; skip when it did not pass and stops nothing."""
        from evenhand.report.judged_only import message

        if self.judgement.stops:
            raise LimitError(message(self.judgement))
        if self.judgement.status != "passed":
            pytest.skip(message(self.judgement))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """Return the one sentence."""
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return where the item stands."""
        return self.path, None, self.name


class LimitError(AssertionError):
    """A limit that stops a release."""


def assert_policy(record: AuditRecord, policy: Policy | str | Path, baseline: AuditRecord | None = None) -> Verdict:
    """Return the verdict when it lets the release through.

    Raises
    ------
    AssertionError
        Otherwise, with one line a limit, worst first.
    """
    from evenhand.policy import Policy, judge, lines, load_policy

    rules = policy if isinstance(policy, Policy) else load_policy(policy)
    verdict = judge(record, rules, baseline=baseline)
    if verdict.exit_code:
        raise LimitError("\n".join([verdict.sentence, *lines(verdict)]))
    return verdict
