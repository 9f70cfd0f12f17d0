"""Reading a bias set by its name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.data.bias_sets.bbq import read_bbq, read_bbq_stereotype
from evenhand.data.bias_sets.crows_pairs import read_crows_pairs
from evenhand.data.bias_sets.winobias import read_winobias
from evenhand.data.bias_sets.winogender import read_winogender
from evenhand.errors import InputError, argument, did_you_mean, quoted, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evenhand.data.bias_sets.choices import BiasSet

KINDS: Final[Mapping[str, Callable[[str | Path], BiasSet]]] = {
    "crows_pairs": read_crows_pairs,
    "winobias": read_winobias,
    "winogender": read_winogender,
    "bbq": read_bbq,
    "bbq_stereotype": read_bbq_stereotype,
}
"""Every bias set, and what reads it."""


def read_bias_set(path: str | Path, kind: str) -> BiasSet:
    """Read a bias set as it was published.

    Parameters
    ----------
    path : path
        Its file; of ``winobias`` and ``bbq`` also the folder of its files.
    kind : str
        ``crows_pairs``, ``winobias``, ``winogender``, ``bbq`` or ``bbq_stereotype``.

    Returns
    -------
    BiasSet

    Raises
    ------
    InputError
        When there is no such set or file, or the file is another one.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> file = Path(tempfile.mkdtemp()) / "all_sentences.tsv"
    >>> _ = file.write_text("sentid\\tsentence\\nchef.guest.0.female.txt\\tThe chef told the guest that she is busy.")
    >>> read_bias_set(file, "winogender").choices[0].texts[0]
    'The chef told the guest that she is busy. "She" refers to the chef.'
    """
    if kind not in KINDS:
        raise InputError(
            f"There is no bias set {quoted(kind)}; there are {', '.join(KINDS)}.{did_you_mean(kind, KINDS)}"
        )
    if not Path(path).exists():
        raise InputError(f"{argument('bias_set')}: there is no file or folder '{shorten(path, 200)}'.")
    found = KINDS[kind](path)
    alike = next((each for each in found.choices if len(set(each.texts)) < len(each.texts)), None)
    if alike is not None:
        raise InputError(
            f"{Path(path).name}: there is nothing to choose: '{shorten(alike.texts[0], 80)}' stands twice."
        )
    return replace(found, name=Path(path).name)
