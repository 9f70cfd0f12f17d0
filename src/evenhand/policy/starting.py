"""The policy that a project begins with: few limits, each with its reason and source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError, did_you_mean
from evenhand.keys import Key
from evenhand.policy.templates import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Iterable

ORIGINAL: Final = """
# The compressed model beside its original, on the same rows.
"flip_rate[;of=original]" = { at_most = 0.05 }
"accuracy_change[;of=original]" = { at_least = -0.02 }
"""

ORIGINAL_FEATURE: Final = """\
{flips} = {{ at_most = 0.10, undecided = "warn" }}
# {column}: no group may lose more; passed only where the whole interval is inside, so a small group stays undecided.
{worst} = {{ at_least = -0.05, undecided = "warn" }}
"""


def default_policy(sensitive_features: Iterable[str] = (), *, original: bool = False, template: str = "generic") -> str:
    """Return the text of a policy.toml to begin with.

    Parameters
    ----------
    sensitive_features : names
        Each gets the limits that the template has for a feature.
    original : bool
        Whether limits on what compression changed are added.
    template : str
        A name of `TEMPLATES`: ``generic``, ``hiring``, ``credit`` or ``medical``.

    Raises
    ------
    InputError
        When there is no such template.
    """
    if template not in TEMPLATES:
        raise InputError(f"There is no policy template '{template}'.{did_you_mean(template, TEMPLATES)}")
    columns = list(sensitive_features)
    parts = [TEMPLATES[template].text(columns)]
    if original:
        parts.append(ORIGINAL)
        parts += [_of_feature(column) for column in columns]
    return "".join(parts)


def _of_feature(column: str) -> str:
    flips, worst = (_quoted(_of(name, column)) for name in ("flip_rate_difference", "accuracy_change_group_min"))
    return ORIGINAL_FEATURE.format(column=" ".join(column.split()), flips=flips, worst=worst)


def _of(metric: str, column: str) -> str:
    return str(Key.of(metric, [column], of="original"))


def _quoted(key: str) -> str:
    """Return a key as TOML writes a string."""
    import json

    return json.dumps(key, ensure_ascii=False)
