"""Policy templates by field: few limits, each with its reason and source. The values are for people to set.

A place in braces is a key: ``{recall}`` of the feature, ``{recall_each}`` of each of its groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError, did_you_mean
from evenhand.keys import Key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HEAD: Final = """\
# Limits for the release gate: evenhand gate audit.json --policy policy.toml
# A limit passes when the whole interval is inside it, fails when the whole interval is outside, else it is undecided.
schema = 1
{extends}
[defaults]
confidence = 0.95
family = "limit"          # "holm": if all blocking limits are kept, one fails in at most 2.5 % of audits, not each
undecided = "stop"        # stop | warn | pass
undefined = "stop"
missing = "stop"          # what is absent has not passed
minimum_group_size = 30   # smaller groups are named as small; none is ever left out

[require]                 # what a record must be for its figures to count; all are in docs/how-to/gate.md
{require}# no_repeated_ids = true
# rows = 1000
# signature = true        # evenhand gate --signature audit.json.sig --allowed-signers signers

[limits]
"""


@dataclass(frozen=True, slots=True)
class Template:
    """The limits of a field."""

    meaning: str
    """What it is for, in one line."""
    everyone: str
    """Limits over all rows."""
    feature: str
    """Limits of each sensitive feature, with keys in braces."""
    packs: tuple[str, ...] = ()
    """Rule packs that it extends."""

    def text(self, columns: list[str], required: Mapping[str, object]) -> str:
        """Return the policy for these sensitive features."""
        named = ", ".join('"builtin:' + pack + '"' for pack in self.packs)
        extends = f"extends = [{named}]\n" if named else ""
        require = "".join(f"{name} = {_toml(value)}\n" for name, value in required.items() if value)
        head = HEAD.format(extends=extends, require=require)
        return head + self.everyone + "".join(self.feature.format_map(_Keys(column)) for column in columns)


def _toml(value: object) -> str:
    """Return a text, or a list of texts, as TOML writes it."""
    import json

    return json.dumps(value, ensure_ascii=False)


class _Keys(dict[str, str]):
    """The keys of one feature, as TOML writes a string."""

    def __init__(self, column: str, **qualifiers: str) -> None:
        super().__init__(column=" ".join(column.split()))
        self._column, self._qualifiers = column, qualifiers

    def __missing__(self, name: str) -> str:
        import json

        each = name.endswith("_each")
        key = str(Key.of(name.removesuffix("_each"), [self._column], **self._qualifiers))
        return json.dumps(key[:-1] + "=*]" if each else key, ensure_ascii=False)


GENERIC: Final = Template(
    "any decision about people",
    """\
# A model worse than this decides no better than the people it would replace. Set it to what your use needs.
"balanced_accuracy" = { at_least = 0.60 }
""",
    """
# {column}: the four-fifths rule (29 CFR 1607.4(D)); a rate under 4/5 of the highest is evidence of adverse impact.
{selection_rate_ratio} = {{ at_least = 0.80 }}
# {column}: equal errors (Hardt et al. 2016); of equally deserving people, no group is refused far more often.
{equalized_odds_difference} = {{ at_most = 0.20 }}
# {column}: no group's recall may fall below this.
{recall_each} = {{ at_least = 0.50, undecided = "warn" }}
""",
)

HIRING: Final = Template(
    "choosing among applicants for work",
    """\
# A selection procedure must predict success at the work at all (29 CFR 1607.5, validity).
"balanced_accuracy" = { at_least = 0.60 }
""",
    """
# {column}: of people who would do well, no group is passed over far more often (equal opportunity, Hardt et al. 2016).
# The rule of four fifths itself comes with the packs above, and turns on which outcome is good for the person.
{recall_difference} = {{ at_most = 0.10 }}
# {column}: a score means the same in every group; else a common cut-off does not (Cleary 1968, predictive bias).
{precision_difference} = {{ at_most = 0.15, undecided = "warn" }}
""",
    ("four-fifths@1", "nyc-ll144@1"),
)

CREDIT: Final = Template(
    "granting or refusing credit",
    """\
# Ranking by risk is what the score is for; the figure is a common floor for scorecards (Siddiqi 2017). Set your own.
"roc_auc" = { at_least = 0.65 }
# Prices and reserves rest on the probability itself: it may be wrong by so much on average.
"calibration_error" = { at_most = 0.05 }
# Principal reasons told to a person must not be an accident of the background sample (12 CFR 1002.9(b)(2)).
"unstable_reasons" = { at_most = 0.10, advisory = true }
# They must be reasons that were scored: to move the score more than features that are not stated (comments 2 and 4).
"unfaithful_reasons" = { at_most = 0.10, advisory = true }
""",
    """
# {column}: screening for adverse impact by the four-fifths rule, which lenders' own testing has taken from 29 CFR 1607.
{selection_rate_ratio} = {{ at_least = 0.80 }}
# {column}: of people who repay, no group is refused far more often (equal opportunity, Hardt et al. 2016).
{recall_difference} = {{ at_most = 0.10 }}
# {column}: a probability of default is as right in every group.
{calibration_error_difference} = {{ at_most = 0.05, undecided = "warn" }}
""",
)

MEDICAL: Final = Template(
    "finding people who need care",
    """\
# The sick must be found: sensitivity over all patients. Set it by what a missed case costs.
"recall" = { at_least = 0.80 }
# And the healthy must not be alarmed without end: specificity.
"specificity" = { at_least = 0.60 }
# A probability shown to a clinician must be one.
"calibration_error" = { at_most = 0.05 }
""",
    """
# {column}: the sick of no group are missed (underdiagnosis: Seyyed-Kalantari et al. 2021, Nature Medicine 27).
{recall_each} = {{ at_least = 0.70 }}
{false_negative_rate_difference} = {{ at_most = 0.10 }}
# {column}: a score asks for the same care whoever the patient is (calibration by group, Obermeyer et al. 2019).
{calibration_error_difference} = {{ at_most = 0.05, undecided = "warn" }}
""",
)

CLASSES: Final = Template(
    "a label of several classes",
    """\
# A model worse than this decides no better than the people it would replace. Set it to what your use needs.
"macro_recall" = { at_least = 0.50 }
""",
    """
# {column}: how far apart two groups' shares of predicted classes are.
{selection_distance} = {{ at_most = 0.20 }}
# {column}: equal errors, for several classes: the same among rows of the same true class.
{equalized_odds_distance} = {{ at_most = 0.20, undecided = "warn" }}
""",
)

AMOUNTS: Final = Template(
    "a label of amounts",
    """\
# A model that explains nothing of the truth is no better than its mean. Set it to what your use needs.
"r2" = { at_least = 0.10 }
""",
    """
# {column}: nobody's errors are far larger than those of others (bounded group loss, Agarwal et al. 2019).
{mean_absolute_error_ratio} = {{ at_least = 0.80 }}
""",
)

OF_TASK: Final = {"multiclass": CLASSES, "regression": AMOUNTS}
"""Templates of labels that are not of two classes, in place of the generic one."""

TEMPLATES: Final = {"generic": GENERIC, "hiring": HIRING, "credit": CREDIT, "medical": MEDICAL}
"""The templates by name."""

ORIGINAL: Final = """
# The compressed model beside its original, on the same rows.
"flip_rate[;of=original]" = { at_most = 0.05 }
"accuracy_change[;of=original]" = { at_least = -0.02 }
"""

ORIGINAL_FEATURE: Final = """\
{flip_rate_difference} = {{ at_most = 0.10, undecided = "warn" }}
# {column}: no group may lose more; passed only where the whole interval is inside, so a small group stays undecided.
{accuracy_change_group_min} = {{ at_least = -0.05, undecided = "warn" }}
"""


def default_policy(
    sensitive_features: Iterable[str] = (),
    *,
    original: bool = False,
    template: str = "generic",
    label: str = "",
    positive: str = "",
    task: str | None = None,
) -> str:
    """Return the text of a starter policy.toml.

    Parameters
    ----------
    sensitive_features : names
        Each is required, and gets the limits that the template has for a feature.
    original : bool
        Whether limits on what compression changed are added.
    template : str
        A name of `TEMPLATES`: ``generic``, ``hiring``, ``credit`` or ``medical``.
    label, positive : str
        The column of the truth and its positive value, which are required where they are given.
    task : "multiclass" or "regression", optional
        The kind of label, where it is not of two classes.

    Returns
    -------
    str

    Raises
    ------
    InputError
        When there is no such template, or it is not for such a label.

    Examples
    --------
    >>> text = default_policy(["sex"], template="hiring")
    >>> '"recall_difference[sex]"' in text
    True
    """
    if template not in TEMPLATES:
        raise InputError(f"There is no policy template '{template}'.{did_you_mean(template, TEMPLATES)}")
    if task in OF_TASK and template != "generic":
        raise InputError(f"The policy template '{template}' is for decisions between two classes, this is {task}.")
    chosen = TEMPLATES[template] if task is None else OF_TASK.get(task, TEMPLATES[template])
    columns = list(sensitive_features)
    required = {"sensitive_features": columns, "label": label, "positive": positive}
    parts = [chosen.text(columns, required)]
    if original:
        parts += [ORIGINAL, *(ORIGINAL_FEATURE.format_map(_Keys(column, of="original")) for column in columns)]
    return "".join(parts)
