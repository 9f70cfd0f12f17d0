"""``evenhand train``: a table in, a fitted and saved model out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenhand.cli.console import progress
from evenhand.cli.flags import PATH, Finite, file_flag, refuse_idle, said, setting_flags
from evenhand.cli.outputs import check_places
from evenhand.cli.roles import file_of, read_table, role_flags
from evenhand.cli.rows import inputs_beside, role_words, write_rows
from evenhand.cli.summary import quiet_flag, summarize
from evenhand.cli.transferring import refuse_with_backbone, transfer_flags, transferred
from evenhand.data.roles import Shares
from evenhand.errors import InputError
from evenhand.output.launched import is_first, processes
from evenhand.output.printing import remark, say
from evenhand.settings import settings_of
from evenhand.training.config import ONE_WIDTH, TrainingConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.cli.settings import Settings
    from evenhand.data import EvaluationSet

TEST_SHARE = {"test": settings_of(Shares)["test"]}


@click.command(name="train")
@click.argument("data", type=PATH)
@role_flags
@file_flag("--test-output", help="Hold out test rows and write them here (.parquet or .csv).")
@file_flag("--train-output", help="Write the training rows here.")
@setting_flags(TEST_SHARE)
@setting_flags(settings_of(TrainingConfig))
@transfer_flags
@click.option("--tune", "trials", type=click.IntRange(min=1), metavar="TRIALS", help="Search for settings first.")
@click.option("--folds", type=click.IntRange(min=0), default=0, help="Number of cross-validation folds of each trial.")
@file_flag("--tune-storage", help="SQLite file; a killed search resumes from it.")
@click.option("--tune-seconds", type=Finite(min=0), help="Start no new trial after this time.")
@file_flag("--checkpoint", help="Keep the state of each epoch; a killed fit resumes from it.")
@file_flag("--output", "-o", default=Path("model.safetensors"))
@quiet_flag
def command(
    data: Path,
    output: Path,
    test_output: Path | None,
    train_output: Path | None,
    trials: int | None,
    folds: int,
    tune_storage: Path | None,
    tune_seconds: float | None,
    checkpoint: Path | None,
    backbone: Path | None,
    unfreeze: bool,
    unfreeze_epochs: int,
    **flags: object,
) -> None:
    """Fit a model on DATA and save it with its preprocessing and threshold.

    A network, beside which boosted trees are fitted on the same rows to say which is better; or the trees themselves,
    with --model boosting; or a head over a network that was trained before, with --backbone. Validation rows, for early
    stopping and the threshold, are taken from DATA; test rows are held out with --test-output.

    \b
    Examples:
      evenhand train loans.parquet --label approve --sensitive race -o credit.safetensors
      evenhand train loans.parquet --label approve --network residual --tune 30 --tune-storage study.db
      torchrun --nproc-per-node 2 -m evenhand train loans.parquet --label approve --checkpoint fit.ckpt
      evenhand train loans.parquet --label approve --epsilon 3 -o private.safetensors
      evenhand train loans.parquet --label approve --sensitive race --fairness equal_opportunity -o fair.safetensors
      evenhand train loans.parquet --label approve --model boosting -o trees.safetensors
      evenhand train people.csv --label hired --texts letter --network lstm -o letters.safetensors
      evenhand train people.csv --label hired --images file --inputs faces/ --network resnet18 --flip
      evenhand train people.csv --label hired --texts letter --backbone MiniLM/ -o letters.safetensors
    """
    from evenhand.training.trees.baseline import told

    refuse_idle("--tune", trials, "folds", "tune_storage", "tune_seconds")
    refuse_idle("--test-output", test_output, "test")
    refuse_idle("--backbone", backbone, "unfreeze")
    refuse_idle("--unfreeze", unfreeze, "unfreeze_epochs")
    _check_names(output, test_output, train_output)
    check_places((output, test_output, train_output, checkpoint, tune_storage), (data, backbone, flags.get("config")))
    if trials is not None and processes() > 1:
        raise InputError("A search for settings (--tune) runs in one process: search without torchrun.")
    settings = file_of(flags)
    inputs = flags.get("inputs") or settings.data.get("inputs")
    beside = {place: inputs_beside(place, inputs) for place in (test_output, train_output)}
    check_places((*beside, *beside.values()), (inputs,))
    fitting, share = said(flags, settings_of(TrainingConfig)), said(flags, TEST_SHARE)
    table = read_table(data, settings, flags)
    parts = _split(table, settings, test_output is not None, share.get("test"), fitting.get("seed"))  # type: ignore[arg-type]
    if backbone is not None:
        refuse_with_backbone({**settings.train, **fitting}, {"--tune": trials, "--checkpoint": checkpoint})
        fitting.setdefault("hidden", settings.train.get("hidden", ()))
    config = _config(settings, fitting)
    if config.model == "boosting":
        _refuse_with_trees(trials, checkpoint)
    if trials is not None:
        config = _tuned(parts["train"], config, trials, folds, tune_storage, tune_seconds)
    model: NetworkModel | BoostedModel
    if backbone is not None:
        model = transferred(parts, backbone, config, output.stem, unfreeze_epochs if unfreeze else None)
    else:
        model = _fitted(parts, config, output.stem, checkpoint)
    if not is_first():
        return
    model.save(output)
    for place, part in ((test_output, "test"), (train_output, "train")):
        if place is not None:
            write_rows(parts[part], place, beside[place])
    if cleaned := _cleaned(model):
        say(cleaned)
    for line in _private(model):
        say(line)
    for column, reason in model.preprocessing.left_out:
        say(f"Left out: column '{column}' {reason}.")
    rows = ", ".join(f"{len(part):,} {name}" for name, part in parts.items())
    trees = told(model.history)
    summarize(
        [f"Wrote {output}: {rows} rows; {_decides(model, config)}", *([trees] if trees else [])],
        ["evenhand", "audit", test_output or "TEST", "--model", output, *role_words(beside[test_output])],
    )


def _private(model: NetworkModel | BoostedModel) -> Iterator[str]:
    """Yield what the budget of the fit is and what it leaves out, and how many rows coins left in."""
    told: dict[str, Any] = dict(model.history)
    if privacy := told.get("privacy"):
        yield (
            f"Private: epsilon {privacy['epsilon']:.3g} of each training row at delta {privacy['delta']:g}, noise "
            f"{privacy['noise_multiplier']:.3g}. Preprocessing and validation rows are not in it."
        )
    if coin := told.get("coin"):
        yield (
            f"Coins left {told['train_rows']:,} rows in, tossed for {coin['share']:.0%} of them. An audit needs all "
            "(--train-output), as --privacy."
        )


def _decides(model: NetworkModel | BoostedModel, config: TrainingConfig) -> str:
    """Return how the model decides, and by which rule that was chosen."""
    if model.task in ("regression", "ranking"):
        return f"predicts {'scores of the order' if model.task == 'ranking' else 'numbers'}{_reached(model)}"
    if model.task != "binary":
        return "decides for the most probable class"
    rule = config.threshold_rule
    told = "" if rule is None else f", the best {rule.replace('_', ' ')} on validation rows"
    return f"decides at {model.threshold:.3f}{told}"


def _fitted(
    parts: dict[str, EvaluationSet], config: TrainingConfig, name: str, checkpoint: Path | None
) -> NetworkModel | BoostedModel:
    from evenhand.training import fit, fit_boosting

    with progress("Training") as step:
        if config.model == "boosting":
            return fit_boosting(parts["train"], parts["validation"], config, step, name)
        return fit(parts["train"], parts["validation"], config, step, name, checkpoint)


def _refuse_with_trees(trials: int | None, checkpoint: Path | None) -> None:
    """Refuse what networks alone have."""
    given = {"--tune": trials, "--checkpoint": checkpoint}
    if names := [name for name, value in given.items() if value is not None]:
        raise click.UsageError(f"{' and '.join(names)}: of networks; boosted trees are fitted in seconds without.")


def _reached(model: NetworkModel | BoostedModel) -> str:
    """Return what a model of numbers reaches on validation rows."""
    errors: dict[str, dict[str, dict[str, float | None]]] = model.history.get("errors", {})  # type: ignore[assignment]
    words = {"r2": "R2", "mean_absolute_error": "mean absolute error", "ndcg": "NDCG"}
    told = [
        f"{words[metric]} {found['estimate']:.3g}"
        for metric, found in errors.get("validation", {}).items()
        if found["estimate"] is not None
    ]
    return f", {', '.join(told)} on validation rows" if told else ""


def _check_names(output: Path, *tables: Path | None) -> None:
    """Say before the fit that a name has an ending that nothing would read again."""
    from evenhand.errors import OutputError, need

    if output.suffix != ".safetensors":
        raise OutputError(f"{output}: a model is saved as .safetensors; name it {output.with_suffix('.safetensors')}.")
    for place in tables:
        if place is not None and place.suffix not in (".parquet", ".csv"):
            raise OutputError(f"{place}: rows are written as .parquet or .csv; name it so.")
        if place is not None and place.suffix == ".parquet":
            need("pyarrow", "data")


def _cleaned(model: NetworkModel | BoostedModel) -> str:
    """Return what was done to how many cells of the training rows; nothing where nothing was."""
    done: dict[str, int] = model.history.get("cleaning", {})  # type: ignore[assignment]
    from evenhand.training.columns import FURTHEST

    words = {
        "missing_filled": "missing filled",
        "outliers_held": f"outliers held at {FURTHEST:g} deviations",
        "text_read_as_numbers": "texts read as numbers",
        "rare_levels_joined": "rare levels joined",
    }
    parts = [f"{done[name]:,} {said}" for name, said in words.items() if done.get(name)]
    return f"Of {done.get('cells', 0):,} cells: {', '.join(parts)}" if parts else ""


def _split(
    table: EvaluationSet, settings: Settings, hold_out: bool, test_share: float | None, seed: int | None
) -> dict[str, EvaluationSet]:
    from evenhand.data import split

    told = Shares().updated(settings.split)
    shares = {"train": told.train, "validation": told.validation, "test": told.test}
    if test_share is not None:
        if not 0 < test_share < 1:
            raise InputError(f"--test-share is {test_share}; a share between 0 and 1 is needed, such as 0.3.")
        rest = shares["train"] + shares["validation"]
        shares = {name: share / rest * (1 - test_share) for name, share in shares.items()}
        shares["test"] = test_share
    if not hold_out:
        shares.pop("test")
    total = sum(shares.values())
    seed = told.seed if seed is None else seed
    return split(table, {name: share / total for name, share in shares.items()}, seed=seed)


def _config(settings: Settings, flags: dict[str, object]) -> TrainingConfig:
    values = {**settings.train, **flags}
    if values.get("network") in ONE_WIDTH:
        values.setdefault("hidden", [64, 64])  # its blocks are all of one width
    return TrainingConfig.from_plain(values)


def _tuned(
    rows: EvaluationSet, config: TrainingConfig, trials: int, folds: int, storage: Path | None, seconds: float | None
) -> TrainingConfig:
    """Return the best settings of a search over the training rows, and print them."""
    from evenhand.training import tune
    from evenhand.training.searching import usual_space

    space = usual_space(config)
    with progress("Tuning") as step:
        found = tune(
            rows, trials=trials, config=config, space=space, folds=folds, storage=storage, seconds=seconds,
            seed=config.seed, progress=step,
        )  # fmt: skip
    pruned = sum(trial["state"] == "pruned" for trial in found.trials)
    chosen = ", ".join(f"{name}={getattr(found.config, name)}" for name in space)
    remark(f"{len(found.trials)} trials, {pruned} ended early; least loss {found.loss:.4f} with {chosen}")
    return found.config


if TYPE_CHECKING:
    from evenhand.training import BoostedModel, NetworkModel
