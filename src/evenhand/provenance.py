"""Types of the provenance and measurements of a record: the blocks as they are in audit.json.

A block may have more fields, from a subject or a reader of data; those named here have these types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.messages import PlainMessage


class TrainingFacts(TypedDict, total=False):
    """How a model was fitted."""

    config: Mapping[str, object]
    """The settings of the fit."""
    train_loss: list[float]
    """Mean loss of each epoch on the training rows."""
    validation_loss: list[float]
    """Loss after each epoch on the validation rows."""
    best_epoch: int
    """The epoch that was kept, from 1; 0 is the state before training."""
    counts: Mapping[str, object]
    """Counts of truth x decision on training and validation rows."""


class SubjectFacts(TypedDict, total=False):
    """The facts of a model."""

    name: str
    """What the report calls it."""
    kind: str
    """What runs it, ``predictions`` where only its answers are known."""
    threshold: float
    """A score at or above it is predicted positive."""
    score_kind: str
    """``probability``, ``ranking`` or ``label``."""
    decided_by: str
    """Whose threshold it is: ``model``, that of its own decisions; ``given``, the user's; ``default``, one that gives
    the model's own decisions where it has any."""
    other_decisions: int
    """Rows whose decision was given, and is another than that of their score at the threshold."""
    output: str
    """What its raw output was declared to be."""
    classes_read_as: str
    """How its classes were read where they are not the label's: ``codes``, their positions; ``given``, by the user."""
    reads: str
    """Its inputs, unless a table: ``arrays``, ``texts``, ``tokens`` or ``records``."""
    sha256: str | None
    """Hash of its file, where there is one."""
    training: TrainingFacts
    """How it was fitted, where that is known."""


class DataFacts(TypedDict, total=False):
    """Which rows it was audited on, and what their columns are."""

    name: str
    """What the report calls them."""
    source: str
    """Where they come from."""
    rows: int
    """How many there are."""
    content_hash: str
    """Hash of their contents."""
    label: str | None
    """The column of the label."""
    task: str
    """What the label is; absent for one of two classes."""
    classes: list[str]
    """The classes, where there are others than two."""
    graded: str | bool
    """Of rows whose truth is one for all, the metric that says all; true stands for accuracy, and it is absent of
    others."""
    bias_set: Mapping[str, object]
    """Of a bias set: which it is, what was asked of the model, and which file it was read from."""
    logs: Mapping[str, object]
    """Of logs of a language model: whose, graded by what, and what only one of two logs has."""
    positive: object
    """The label's value that is predicted."""
    negative: str
    """The other value, of two classes."""
    favourable: object
    """The value that is good for the person."""
    sensitive_features: list[str]
    """Columns whose groups are compared."""
    control_features: list[str]
    """Columns within whose values groups are compared."""
    roles: Mapping[str, object]
    """The role of each column, as in `Roles`."""
    spelling: str
    """How transcripts were compared: ``plain`` or ``given``; absent of other labels."""
    follow_up: Mapping[str, object]
    """Of rows that were followed in time: the horizon, whose censoring the weights are of, how many rows there were,
    had the event by then and were censored before, and the declared weight."""
    missing: str
    """What was done with missing sensitive values: ``error`` or ``group``."""
    bins: Mapping[str, list[float]]
    """Edges that made groups of numeric features."""
    missing_values: Mapping[str, int]
    """Columns with missing values, and in how many rows."""
    repeated_ids: int | None
    """Rows whose id occurred before; None without an id column."""
    counted_at: float
    """The threshold of the decisions in a table of counts, where its first line says it."""
    rows_in_source: int
    """Rows of the source, before any were left out and before it was split."""
    rows_dropped: int
    """Rows left out."""
    rows_dropped_because: str
    """Why."""


class MemberFacts(TypedDict):
    """Rows that the audited model was fitted on."""

    name: str
    """Their name, such as that of the file."""
    rows: int
    """How many."""
    content_hash: NotRequired[str]
    """Hash over names and values of their columns, in any order; a copy for publication has none."""


class OptionFacts(TypedDict, total=False):
    """What was decided about the audit."""

    level: float
    """The confidence of its intervals."""


class PolicyFacts(TypedDict):
    """A policy that was set before the audit."""

    name: str
    """Its name."""
    sha256: str
    """Hash of its file."""


class KeptPredictions(TypedDict):
    """Predictions kept in a separate file."""

    sha256: str
    """Hash of the file."""
    rows: int
    """Rows in it."""
    key_fingerprint: str
    """Of the key that names the rows."""


class CandidateFacts(TypedDict):
    """One way of making a model smaller that a study tried."""

    name: str
    """Its name."""
    recipes: object
    """What was done."""
    balance: object
    """By which features fine-tuning was balanced."""
    failure: str
    """Why it could not be made; empty when it could."""
    verdict: Literal["passed", "failed", "undecided"] | None
    """By the policy, when there is one."""
    sentence: str | None
    """The verdict in words."""
    told: NotRequired[PlainMessage | None]
    """The same as a message with its places, for other languages; records of before have none."""


class StudyFacts(TypedDict, total=False):
    """What a study tried."""

    candidates: list[CandidateFacts]
    """All of them."""
    smallest: str | None
    """The smallest that passes."""
    policy: PolicyFacts | None
    """The policy that judged them."""
    seeds: int
    """How many."""
    first_seed: int
    """The first of them."""
    train_content_hash: str
    """Hash of the training rows."""


class MitigatedLimit(TypedDict):
    """A limit, or the measure of performance, as one candidate meets it on the rows it was chosen or judged on."""

    key: str
    """What was measured."""
    estimate: float | None
    """None where it is undefined."""
    low: NotRequired[float | None]
    """The low end of its interval."""
    high: NotRequired[float | None]
    """The high end."""
    status: NotRequired[Literal["passed", "failed", "undecided"] | None]
    """Of a limit."""


class MitigatedGroup(TypedDict):
    """Whose decisions a candidate changes, of one group, on the same rows as the deployed model's."""

    feature: str
    """The sensitive feature."""
    group: str
    """Its value."""
    rows: int
    """Rows of the group."""
    gained: int
    """Rows that are decided favourably now, and were not."""
    lost: int
    """The other way round."""


class MitigationCandidate(TypedDict):
    """One way of meeting a policy that was tried."""

    name: str
    """Its name, such as ``thresholds by group``."""
    method: str
    """What made it: an entry of the catalogue of mitigations."""
    settings: Mapping[str, object]
    """Its settings."""
    library: NotRequired[str]
    """The library that fitted it."""
    needs_sensitive: bool
    """Whether it must be told the sensitive feature when it decides."""
    randomized: bool
    """Whether it draws lots, by a hash of the row, so that an equal row is always decided alike."""
    failure: str
    """Why it could not be made; empty when it could."""
    told: NotRequired[PlainMessage | None]
    """The same as a message."""
    performance: MitigatedLimit | None
    """The measure of performance on the rows it was chosen on."""
    limits: list[MitigatedLimit]
    """The limits there."""
    groups: list[MitigatedGroup]
    """Who gains and who loses there."""
    chosen: bool
    """Whether it was the one to be judged."""
    idle: NotRequired[bool]
    """Whether it was left out as it performs hardly better than one decision for everybody."""


class AlikeFacts(TypedDict):
    """What one decision for everybody comes to, on the rows that candidates were chosen on."""

    positive: bool
    """Whether it is the positive one."""
    performance: MitigatedLimit
    """The measure of performance."""
    least: float
    """What a candidate had to reach."""


class MitigationFacts(TypedDict, total=False):
    """What was tried to meet a policy, and which candidate the record is about."""

    candidates: list[MitigationCandidate]
    """All of them, the unchanged model first."""
    performance: str
    """The key of the measure of performance, such as ``accuracy``."""
    rows: Mapping[str, int]
    """How many rows candidates were fitted, chosen and judged on: ``fit``, ``choose``, ``judge``."""
    policy: PolicyFacts
    """The policy."""
    recommended: bool
    """Whether the chosen candidate is recommended by the judged rows."""
    why: PlainMessage
    """Why it is, or is not."""
    before: Literal["passed", "failed", "undecided"]
    """What the deployed model comes to on the judged rows."""
    groups: list[MitigatedGroup]
    """Who gains and who loses by the chosen candidate on the judged rows."""
    price: list[MitigatedLimit | None]
    """The measure of performance on the judged rows: of the deployed model, and of the chosen candidate."""
    alike: AlikeFacts
    """The better decision for everybody that the policy does not rule out; absent where it rules out both."""
    infeasible: PlainMessage | None
    """Why no candidate can meet the policy on these rows, where that is shown."""
    seed: int
    """Of splits, draws and fits."""


class Provenance(TypedDict, total=False):
    """Where a record comes from: the same for the same run."""

    subject: SubjectFacts
    """The audited model."""
    original: SubjectFacts | None
    """The model before compression."""
    data: DataFacts
    """The evaluation rows."""
    members: MemberFacts
    """The rows that the model was fitted on, where an audit was given them."""
    score_edges: list[float]
    """Thresholds between which scores were counted."""
    sensitive_inputs: list[str]
    """Sensitive features that the model reads."""
    rows_seen_in_training: int | None
    """Evaluation rows with an equal row among the fitted, or the background; None when that is unknown."""
    attribution_reach: float
    """How far the counts of attributions reach on either side of 0."""
    attribution_means: list[list[float | None]]
    """Mean attribution of each feature counted and fifth of its values; absent from records of earlier releases."""
    options: OptionFacts
    """Of the audit."""
    versions: Mapping[str, str]
    """Of Python and the packages."""
    declared: Mapping[str, str]
    """What people declared of the model."""
    datasheet: Mapping[str, str]
    """What people have said of the rows."""
    policy: PolicyFacts
    """Limits that were set before the audit."""
    code: Mapping[str, object]
    """The commit, and whether files differ from it."""
    predictions: KeptPredictions
    """Where they were kept."""
    study: StudyFacts
    """What a study tried."""
    mitigation: MitigationFacts
    """What was tried to meet a policy, where the subject was chosen so."""
    suppressed_below: int
    """Of a copy for publication: groups of fewer rows are withheld."""
    withheld_groups: list[Mapping[str, str]]
    """Of such a copy: the groups that are withheld."""
    withheld_figures: int
    """Of such a copy: how many findings are withheld."""
    published_before: str
    """Of such a copy: the digest of the one that was published before, which it was made with."""
    published_earlier: list[str]
    """Of such a copy: the digests of those that were published before that one, the earliest first."""


class StudyMeasurements(TypedDict):
    """What differs from run to run in a study."""

    front: list[str]
    """Candidates that no other beats."""


class Measurements(TypedDict, total=False):
    """What differs from run to run: outside the digest."""

    started: str
    """When, in ISO 8601."""
    seconds: float
    """How long it took."""
    warnings: list[str]
    """What packages warned of."""
    command: str
    """The command line."""
    study: StudyMeasurements
    """Of a study."""
