"""Whether the rows that took no part in the choice bear the chosen candidate out.

A candidate that was chosen among many is the best partly by chance (the winner's curse). So it is judged on rows that
neither fitted nor chose it, and recommended only where these rows show, row by row, that it mends what the deployed
model fails: of two models that are alike, one passes where the other does not in many runs, and that alone shows
nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics import canonical, parse_disparity
from evenhand.mitigation.trying import found

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Judgement, Limit, Verdict


def change_of(limit: Limit, key: Key) -> tuple[Key, int] | None:
    """Return the key of the paired change of what a limit is on, and 1 where a rise mends it, -1 where a fall does.

    Parameters
    ----------
    limit : Limit
        The limit.
    key : Key
        The finding that it is judged on.

    Examples
    --------
    >>> import evenhand as eh
    >>> limit = eh.load_policy({"limits": {"selection_rate_ratio[sex]": {"at_least": 0.8}}}).limits[0]
    >>> str(change_of(limit, limit.key)[0])
    'selection_rate_difference_change[sex;of=original]'
    """
    if key.qualifiers:
        return None
    metric = canonical(key.metric) or key.metric
    compared = parse_disparity(metric)
    if compared is None:
        return Key(f"{metric}_change", key.features, (("of", "original"),)), 1 if limit.at_most is None else -1
    rate, how = compared
    rate = "selection_rate" if rate == "favourable_rate" else rate
    if how in ("difference", "ratio"):
        return Key(f"{rate}_difference_change", key.features, (("of", "original"),)), -1
    return Key(f"{rate}_{how}_change", key.features, (("of", "original"),)), 1 if how == "group_min" else -1


def change_of_measure(performance: str) -> Key:
    """Return the key of the paired change of a measure of performance.

    Parameters
    ----------
    performance : str
        Its key.

    Examples
    --------
    >>> str(change_of_measure("accuracy"))
    'accuracy_change[;of=original]'
    """
    key = Key.parse(performance)
    return Key(f"{key.metric}_change", key.features, (*key.qualifiers, ("of", "original")))


def improved(record: AuditRecord, limit: Limit, key: Key) -> bool:
    """Return whether the paired interval of the change excludes 0 on the side that mends the limit.

    Parameters
    ----------
    record : AuditRecord
        Of the candidate, compared with the deployed model row by row.
    limit : Limit
        The limit.
    key : Key
        The finding that it is judged on.
    """
    asked = change_of(limit, key)
    finding = None if asked is None else found(record, asked[0])
    if asked is None or finding is None or finding.interval is None:
        return False
    low, high = finding.interval.low, finding.interval.high
    return (low is not None and low > 0) if asked[1] > 0 else (high is not None and high < 0)


def recommended(record: AuditRecord, verdict: Verdict, before: Verdict, idle: bool) -> tuple[bool, str]:
    """Return whether a candidate is recommended, and why, or why not.

    It passes, the deployed model does not, it is shown to be of use, and each limit that the deployed model does not
    pass is one that it fails, or the paired comparison shows that the candidate is better in it.

    Parameters
    ----------
    record : AuditRecord
        Of the candidate on the rows to judge on, compared with the deployed model.
    verdict : Verdict
        Of the candidate there.
    before : Verdict
        Of the deployed model there.
    idle : bool
        Whether these rows do not show that the candidate performs better than one decision for everybody.
    """
    if verdict.status != "passed":
        return False, message("It does not pass on the rows that it is judged on: {why}", why=verdict.sentence)
    if before.status == "passed":
        return False, message("The deployed model passes on these rows, so nothing needs to be mended.")
    if idle:
        return False, message(
            "It passes on these rows, but they do not show that it performs better than one decision for everybody."
        )
    for judgement in before.blocking:
        if judgement.status != "passed" and judgement.stops and not _mended(record, judgement):
            return False, message(
                "It passes on these rows, but they do not show that it is better in {key} than the deployed model.",
                key=str(judgement.key),
            )
    return True, message("It passes on rows that neither fitted nor chose it, and mends what the deployed model fails.")


def _mended(record: AuditRecord, judgement: Judgement) -> bool:
    return judgement.status == "failed" or improved(record, judgement.limit, judgement.key)
