"""The policy that a project begins with: few limits, each with its reason and source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.keys import Key

if TYPE_CHECKING:
    from collections.abc import Iterable

HEAD: Final = """\
# Limits for the release gate: evenhand gate audit.json --policy policy.toml
# A limit passes when the whole interval is inside it, fails when the whole interval is outside, else it is undecided.
schema = 1

[defaults]
confidence = 0.95
undecided = "stop"        # stop | warn | pass
undefined = "stop"
missing = "stop"          # what is absent has not passed
minimum_group_size = 30   # smaller groups are named as small; none is ever left out

[limits]
# A model worse than this decides no better than the people it would replace. Set it to what your use needs.
"balanced_accuracy" = { at_least = 0.60 }
"""

FEATURE: Final = """
# {column}: the four-fifths rule (29 CFR 1607.4(D)); a rate under 4/5 of the highest is evidence of adverse impact.
{ratio} = {{ at_least = 0.80 }}
# {column}: equal errors (Hardt et al. 2016); of equally deserving people, no group is refused far more often.
{odds} = {{ at_most = 0.20 }}
# {column}: no group's recall may fall below this.
{recall} = {{ at_least = 0.50, undecided = "warn" }}
"""

ORIGINAL: Final = """
# The compressed model beside its original, on the same rows.
"flip_rate[;of=original]" = { at_most = 0.05 }
"accuracy_change[;of=original]" = { at_least = -0.02 }
"""

ORIGINAL_FEATURE: Final = '{flips} = {{ at_most = 0.10, undecided = "warn" }}\n'


def default_policy(sensitive_features: Iterable[str] = (), *, original: bool = False) -> str:
    """Return the text of a policy.toml to begin with.

    Parameters
    ----------
    sensitive_features : names
        Each gets the four-fifths rule, equalized odds and a least recall of every group.
    original : bool
        Whether limits on what compression changed are added.
    """
    columns = list(sensitive_features)
    parts = [HEAD, *(_feature(column) for column in columns)]
    if original:
        parts.append(ORIGINAL)
        parts += [ORIGINAL_FEATURE.format(flips=_quoted(_of("flip_rate_difference", column))) for column in columns]
    return "".join(parts)


def _feature(column: str) -> str:
    every = str(Key.of("recall", [column]))[:-1] + "=*]"
    return FEATURE.format(
        column=" ".join(column.split()),
        ratio=_quoted(str(Key.of("selection_rate_ratio", [column]))),
        odds=_quoted(str(Key.of("equalized_odds_difference", [column]))),
        recall=_quoted(every),
    )


def _of(metric: str, column: str) -> str:
    return str(Key.of(metric, [column], of="original"))


def _quoted(key: str) -> str:
    """Return a key as TOML writes a string."""
    import json

    return json.dumps(key, ensure_ascii=False)
