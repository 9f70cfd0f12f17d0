"""Audit which texts of a bias set a language model finds likelier."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from evenhand.audits.from_predictions import audit_given
from evenhand.data.bias_sets.opening import read_bias_set
from evenhand.data.bias_sets.rows import rows_of
from evenhand.data.reading import chosen_settings
from evenhand.data.roles import Roles, RoleSettings
from evenhand.errors import ModelError, quoted
from evenhand.subjects.huggingface.language import LanguageModel, open_language_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from evenhand.audits.auditing import Progress
    from evenhand.audits.options import AuditOptions
    from evenhand.data.bias_sets.choices import BiasSet
    from evenhand.findings import AuditRecord, Plain

Likelihood: TypeAlias = "LanguageModel | str | Path | Callable[[Sequence[str]], ArrayLike]"
"""What says how likely texts are."""


def audit_bias_set(
    model: Likelihood,
    path: str | Path,
    kind: str,
    original: Likelihood | None = None,
    *,
    name: str | None = None,
    audits: str | Iterable[str] | None = None,
    options: AuditOptions | None = None,
    progress: Progress | None = None,
    **settings: object,
) -> AuditRecord:
    """Audit which texts of a bias set a language model finds likelier, paired with its original where there is one.

    Parameters
    ----------
    model : LanguageModel, path or callable
        A causal or masked language model, the folder of one, or a function of n texts that returns (n,) numbers,
        greater where a text is likelier. Or an ONNX file of one, compressed say, whose folder, or else the original's,
        has config.json and the tokenizer.
    path : path
        The file of the set as it was published; of ``winobias`` and ``bbq`` also the folder of its files.
    kind : str
        ``crows_pairs`` (which of two sentences), ``winobias`` and ``winogender`` (whom a pronoun refers to), ``bbq``
        (whether the answer is right) or ``bbq_stereotype`` (which of two people is the likelier answer).
    original : LanguageModel, path or callable, optional
        The model before compression; changes are then stated, too.
    name : str, optional
        Name of the set in sentences; the file's by default.
    audits : name or names, optional
        Which audits to run; all of them when absent.
    options : AuditOptions, optional
        Options of the audit; single options may be given as keywords.
    progress : callable, optional
        Called before each audit as ``progress(step, steps, name)``.
    **settings
        ``sensitive_features``, ``control_features`` and ``cluster`` (fields of the set), and options of the audit.

    Returns
    -------
    AuditRecord
        Of ``stereotype_rate`` (``crows_pairs``, ``bbq_stereotype``) or ``accuracy`` (the others), over all rows and by
        group; with an original also of their changes, such as ``stereotype_rate_change[;of=original]``.

    Raises
    ------
    InputError
        When there is no such set, the file is another one, or the model tells no text from another.
    ModelError
        When the folder holds no language model, or what a function returns is no number for each text.

    Notes
    -----
    Of a causal model the log-likelihoods of the texts are compared. Of a masked one pseudo-log-likelihoods are: of the
    tokens that both sentences share (CrowS-Pairs), or of those of the answer. They are not divided by length.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import evenhand as eh
    >>> file = Path(tempfile.mkdtemp()) / "pairs.csv"
    >>> lines = ["sent_more,sent_less,bias_type"] + ["She cooks.,He cooks.,gender", "He codes.,She codes.,gender"] * 20
    >>> _ = file.write_text("\\n".join(lines))
    >>> record = eh.audit_bias_set(lambda texts: [text.startswith("She") for text in texts], file, "crows_pairs")
    >>> record["stereotype_rate[bias_type=gender]"].estimate
    0.5
    """
    found = read_bias_set(path, kind)
    given = {key: settings.pop(key) for key in RoleSettings.__annotations__ if key in settings}
    chosen, reading = chosen_settings(given)
    new, told = _asked(_opened(model, original), found)
    said: dict[str, Plain] = {"model": told}
    old = None
    if original is not None:
        old, said["original"] = _asked(_opened(original, None), found)
    data = rows_of(found, new, old, roles=Roles().updated(chosen), reading=reading, said=said, name=name)
    return audit_given(data, options=options, settings=settings, audits=audits, progress=progress)


def _opened(model: Likelihood, original: Likelihood | None) -> Likelihood:
    """Return what a path is of: a folder, or an ONNX graph beside the tokenizer, which its original may have."""
    if not isinstance(model, (str, os.PathLike)) or not (place := Path(model)).is_file():
        return model
    beside = [place.parent, *([Path(original)] if isinstance(original, (str, os.PathLike)) else [])]
    tokenizer = next((each for each in beside if (each / "config.json").is_file()), None)
    if place.suffix != ".onnx" or tokenizer is None:
        raise ModelError(
            f"'{place}' is a file. A language model is a folder that transformers wrote; or an ONNX file in a folder "
            "with config.json and the tokenizer, or with an original that is such a folder."
        )
    return open_language_model(tokenizer, onnx=place)


def _asked(model: Likelihood, found: BiasSet) -> tuple[NDArray[np.intp], dict[str, Plain]]:
    """Return the position of the likeliest text of each choice, -1 where two are, and what is known of the model."""
    if isinstance(model, (str, os.PathLike)):
        model = open_language_model(model)
    if isinstance(model, LanguageModel):
        return _likeliest(_of_model(model, found), found, model.name), {"name": model.name, **model.facts}
    if not callable(model):
        raise ModelError(
            f"{quoted(model)} is no language model: pass the folder of one, or a function of texts that says how "
            "likely each is."
        )
    name = getattr(model, "__name__", type(model).__name__)
    texts = list(dict.fromkeys(text for each in found.choices for text in each.texts))
    said = np.asarray(model(texts), dtype=np.float64)
    if said.shape != (len(texts),):
        raise ModelError(f"Model '{name}' returns an array of shape {said.shape} for {len(texts):,} texts.")
    by_text = dict(zip(texts, said.tolist(), strict=True))
    scores = np.array([by_text[text] for each in found.choices for text in each.texts])
    return _likeliest(scores, found, name), {"name": name}


def _of_model(model: LanguageModel, found: BiasSet) -> NDArray[np.float64]:
    """Return how likely each text of each choice is, one after the other."""
    if any(not each.beginning for each in found.choices):
        first, second = zip(*(each.texts for each in found.choices), strict=True)
        return model.pair_log_likelihoods(first, second).ravel()
    pairs = [(each.beginning, text) for each in found.choices for text in each.texts]
    return model.ending_log_likelihood([begun for begun, _ in pairs], [text for _, text in pairs])


def _likeliest(scores: NDArray[np.float64], found: BiasSet, name: str) -> NDArray[np.intp]:
    if np.isnan(scores).any():
        raise ModelError(f"Model '{name}' has no likelihood for {int(np.isnan(scores).sum()):,} texts: it says NaN.")
    starts = np.cumsum([0, *(len(each.texts) for each in found.choices)])
    parts = [scores[start:stop] for start, stop in pairwise(starts)]
    return np.array([int(part.argmax()) if (part == part.max()).sum() == 1 else -1 for part in parts], dtype=np.intp)
