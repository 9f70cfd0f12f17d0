"""Limits as test items, and one assertion for use in tests.

With ``evenhand_record = audit.json`` and ``evenhand_policy = policy.toml`` in pytest's configuration (or
``--evenhand-record`` and ``--evenhand-policy``), every limit is an item that passes, fails, or is skipped where it
stops nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from evenhand.findings import AuditRecord
    from evenhand.policy import Judgement, Policy, Verdict

__all__ = ["assert_policy"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that name a record and a policy."""
    group = parser.getgroup("evenhand")
    for name, what in (
        ("record", "an audit.json whose limits become test items"),
        ("policy", "the policy.toml that it is judged by"),
        ("baseline", "an earlier audit.json, for limits with max_drop"),
    ):
        group.addoption(f"--evenhand-{name}", dest=f"evenhand_{name}", metavar="FILE", help=what)
        parser.addini(f"evenhand_{name}", what)


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add an item for each limit, when a record is named."""
    record, policy = _named(config, "record"), _named(config, "policy")
    if record is None and policy is None:
        return
    if record is None or policy is None:
        given, absent = ("policy", "record") if record is None else ("record", "policy")
        raise pytest.UsageError(f"evenhand_{given} is named without evenhand_{absent}: both are needed to judge.")
    single = any("::" in argument for argument in config.args)
    if single and not config.getoption("evenhand_record"):  # single tests were selected, and no record
        return
    node = LimitsFile.from_parent(session, path=record)
    items.extend(node.items(policy, _named(config, "baseline")))


def _named(config: pytest.Config, name: str) -> Path | None:
    """Return a file: one of the command line from where pytest was called, one of the settings from their folder."""
    flag, setting = config.getoption(f"evenhand_{name}"), config.getini(f"evenhand_{name}")
    if flag:
        return config.invocation_params.dir / str(flag)
    beside = config.inipath.parent if config.inipath is not None else config.rootpath
    return beside / str(setting) if setting else None


class LimitsFile(pytest.File):
    """A record whose limits are items."""

    def items(self, policy: Path, baseline: Path | None) -> Iterator[LimitItem]:
        """Yield one item a judgement."""
        from evenhand.errors import EvenhandError
        from evenhand.policy import judge
        from evenhand.records import read_record
        from evenhand.report.formats.judged_only import names

        try:
            earlier = None if baseline is None else read_record(baseline)
            verdict = judge(read_record(self.path), policy, baseline=earlier)
        except EvenhandError as wrong:
            raise pytest.UsageError(str(wrong)) from None
        for judgement, name in zip(verdict.judgements, names(verdict), strict=True):
            yield LimitItem.from_parent(self, name=name, judgement=judgement, policy=policy)

    def collect(self) -> Iterator[pytest.Item]:
        """Collect nothing by itself; the items are added when all files were collected."""
        yield from ()


class LimitItem(pytest.Item):
    """One limit."""

    def __init__(self, *, judgement: Judgement, policy: Path, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.judgement = judgement
        self.policy = policy
        self.user_properties.extend(_properties(judgement))

    def runtest(self) -> None:
        """Fail when the limit stops a release; skip when it did not pass and stops nothing."""
        from evenhand.report.formats.judged_only import message

        if self.judgement.stops:
            raise LimitError(message(self.judgement))
        if self.judgement.status != "passed":
            pytest.skip(message(self.judgement))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """Return the one sentence, and the place of the limit."""
        from evenhand.output.sanitising import plain

        if not isinstance(excinfo.value, LimitError):
            return str(super().repr_failure(excinfo))
        line = f":{self.judgement.limit.line}" if self.judgement.limit.line else ""
        return f"{excinfo.value}\n{plain(str(self.policy))}{line}: the limit"

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the place of the limit: pytest counts lines from 0."""
        line = self.judgement.limit.line
        return self.policy, line - 1 if line else None, self.name


class LimitError(AssertionError):
    """A limit that stops a release."""


def _properties(judgement: Judgement) -> list[tuple[str, object]]:
    """The measured values, for pytest's JUnit file and other plugins."""
    finding = judgement.finding
    told: list[tuple[str, object]] = [("evenhand_status", judgement.status)]
    if finding is not None and finding.estimate is not None:
        told += [("evenhand_estimate", finding.estimate), ("evenhand_support", finding.support)]
        if finding.interval is not None:
            told += [("evenhand_low", finding.interval.low), ("evenhand_high", finding.interval.high)]
    return told


def assert_policy(
    record: AuditRecord | str | Path,
    policy: Policy | Mapping[str, object] | str | Path,
    baseline: AuditRecord | str | Path | None = None,
    *,
    today: date | None = None,
) -> Verdict:
    """Return the verdict when it lets the release through.

    Parameters
    ----------
    record : AuditRecord or path
        The audit, or its audit.json.
    policy : Policy, mapping or path
        The limits, or their policy.toml.
    baseline : AuditRecord or path, optional
        An earlier audit, for limits with ``max_drop``.
    today : date, optional
        The day by which waivers expire; today when absent.

    Returns
    -------
    Verdict

    Raises
    ------
    AssertionError
        Otherwise, with one line a limit, worst first.

    Examples
    --------
    >>> import evenhand as eh
    >>> record = eh.audit_predictions([1, 0] * 200, [1, 0] * 200)
    >>> assert_policy(record, {"limits": {"accuracy": {"at_least": 0.8}}}).status
    'passed'
    """
    __tracebackhide__ = True
    from evenhand.output.sanitising import plain
    from evenhand.policy import judge, lines

    earlier = None if baseline is None else _read(baseline)
    verdict = judge(_read(record), policy, baseline=earlier, today=today)
    if verdict.exit_code:
        raise LimitError("\n".join([plain(verdict.sentence), *lines(verdict)]))
    return verdict


def _read(record: AuditRecord | str | Path) -> AuditRecord:
    from evenhand.records import read_record

    return read_record(record) if isinstance(record, (str, Path)) else record
