"""Why a limit came out as it did, in whole sentences: who decided, who gives the estimate, who is harmed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import message, sentences
from evenhand.policy.telling import estimate_sentence, harm_sentence
from evenhand.report.numbers import cut

if TYPE_CHECKING:
    from evenhand.policy import Judgement

MOST: Final = 400


def why(judgement: Judgement, said: str) -> str:
    """Return what is said of a limit, and after it who gives the estimate and who is harmed, where that is known."""
    more = [text for text in (estimate_sentence(judgement), harm_sentence(judgement)) if text]
    return sentences(ended(cut(said, MOST)), *more) if more else cut(said, MOST)


def ended(text: str) -> str:
    """Return a text as a sentence that has its full stop."""
    return text if not text or text.endswith(".") else message("{why}.", why=text)
