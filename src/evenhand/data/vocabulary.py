"""Words that tell what a column is: in its name, and among its values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PARTS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


PROTECTED: Final[Mapping[str, frozenset[str]]] = {
    "sex": _set("sex gender male female woman women"),
    "race or ethnicity": _set(
        "race racial ethnic ethnicity rac1p rac2p hisp black white hispan hispanic latino latina asian afam african "
        "indigenous caste"
    ),
    "age": _set("age agep ages dob birthyear"),
    "marital status": _set("marital married spouse"),
    "religion": _set("religion religious faith"),
    "nationality or origin": _set(
        "nationality citizenship citizen native nativity pobp birthplace foreign foreigner immigrant immigration "
        "migrant country"
    ),
    "disability": _set("disability disabled handicap handicapped"),
    "pregnancy": _set("pregnancy pregnant"),
    "sexual orientation": frozenset(("orientation", "lgbt", "lgbtq")),
}
"""Protected characteristics, each with the words of a column's name."""
INSIDE: Final[Mapping[str, str]] = {
    "gender": "sex", "ethnic": "race or ethnicity", "marital": "marital status", "religio": "religion",
    "nationality": "nationality or origin", "citizen": "nationality or origin", "disab": "disability",
    "性别": "sex", "种族": "race or ethnicity", "民族": "race or ethnicity", "年龄": "age", "婚姻": "marital status",
    "宗教": "religion", "国籍": "nationality or origin", "户籍": "nationality or origin", "残疾": "disability",
}  # fmt: skip
"""Characteristics by what is found inside longer words, as in ``maritalstatus``."""
THINGS: Final[Mapping[str, frozenset[str]]] = {
    "age": _set("vehicle car house building property account loan policy"),
    "race or ethnicity": _set("blood cell cells box list matter noise balance wine rice paint ink pixel pixels print"),
    "nationality or origin": _set("currency object exchange key"),
}
"""What has an age, is black or white, or foreign, and is no person."""
EXACTLY: Final[Mapping[str, str]] = {
    "single": "marital status", "civilstatus": "marital status", "mar": "marital status", "dis": "disability",
    "cit": "nationality or origin",
}  # fmt: skip
"""Characteristics by whole names, whose words mean something else within others; short ones are of the US census."""

GROUPS: Final[Mapping[str, frozenset[str]]] = {
    "sex": _set("male female man woman men women nonbinary non-binary 男 女"),
    "race or ethnicity": _set("white black asian hispanic latino caucasian african-american 汉族")
    | {"african american", "native american", "black or african american", "pacific islander"},
    "marital status": frozenset(("married", "divorced", "widowed", "never-married", "separated")),
    "religion": frozenset(("christian", "muslim", "jewish", "hindu", "buddhist", "catholic", "protestant", "sikh")),
}
"""Values that give a characteristic away whatever the column is called; two of them do."""

AREAS: Final = _set(
    "zip zipcode postcode postal postalcode neighbourhood neighborhood county district borough tract census puma ward "
    "residence 邮编 区县"
)
"""Places where people live, which may stand for race or origin."""

TRUTH: Final = frozenset(("y", "ytrue", "label", "target", "truth", "outcome", "class", "标签", "目标"))
"""Names of the truth as such."""
GOOD_NEWS: Final = (
    *("approv", "accept", "admit", "admission", "hire", "hiring", "repaid", "repay", "paid", "grant", "eligib"),
    *("promot", "pass", "graduat", "surviv", "success", "批准", "录用", "通过"),
)
"""Beginnings of words for outcomes that are good for a person where they happen."""
BAD_NEWS: Final = (
    *("deny", "deni", "reject", "refus", "default", "delinq", "fraud", "recid", "arrest", "churn", "dropout"),
    *("disease", "crime", "died", "death", "dead", "readmi", "foreclos", "bankrupt", "violat", "违约", "欺诈", "拒绝"),
)
"""Beginnings of words for outcomes that are bad for a person where they happen."""
OUTCOMES: Final = _set("income status result response deposit subscribed gpa salary occupation hired 收入 结果")
"""Names that are often of the truth, and often of something else."""
EARNINGS: Final = frozenset(("income", "salary", "wage", "wages", "pay", "earnings", "收入"))
"""Of which more is better for a person."""

SCORES: Final = _set(
    "score scores p prob probability proba yscore modelscore riskscore decilescore predproba yproba pscore predscore "
    "predictionscore predictedprobability predictedproba scored 得分"
)
"""Whole names of a model's scores; a credit score or a test score is an input."""
PREDICTIONS: Final = _set("pred preds predict predicted prediction predictions yhat ypred modeloutput decided decision")
"""Words of a model's decisions."""
DECISIONS: Final = frozenset(("decided", "decision"))
"""Those that are of people's decisions, too."""
WEIGHTS: Final = _set("weights sampleweight fnlwgt pwgtp wgtp surveyweight finalweight wgt wt perwt 权重")
"""Whole names of sampling weights; a weight may be that of a body."""
IDS: Final = _set("id ids uuid guid ssn identifier key number no nr code email phone 编号 身份证")
"""Words of what names a row or a person."""
PEOPLE: Final = _set("id ids uuid guid ssn nbr identifier person patient customer applicant client subject 身份证 编号")
"""Words of what names a person, or a case of one."""
NAMES: Final = frozenset(("name", "firstname", "lastname", "surname", "fullname", "email", "phone", "姓名"))
"""Words of what people are called."""

YES: Final = _set("yes y true t 1 是")
"""Values that affirm."""
NO: Final = _set("no n false f 0 -1 否")
"""Values that deny."""
GOOD: Final = _set(
    "approved approve accepted accept granted grant good hired hire admitted admit paid repaid pass passed eligible "
    "success successful fullypaid 批准 通过 好"
)
"""Values that are good for a person."""
BAD: Final = _set(
    "denied deny rejected reject refused refuse bad default defaulted fail failed fraud notapproved nothired "
    "nothire ineligible chargedoff 拒绝 违约 坏"
)
"""Values that are bad for a person."""


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a column's name, in lower case.

    Examples
    --------
    >>> words_of("maritalStatus"), words_of("foreign-worker")
    (('marital', 'status'), ('foreign', 'worker'))
    """
    return tuple(part.lower() for part in _PARTS.findall(name))


def whole(name: str) -> str:
    """Return a name with its letters and digits alone, in lower case.

    Examples
    --------
    >>> whole("decile_score"), whole("RAC1P")
    ('decilescore', 'rac1p')
    """
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def holds(name: str, known: Iterable[str]) -> bool:
    """Return whether a name has one of the words, or is one."""
    return not {*words_of(name), whole(name)}.isdisjoint(known)


def is_name_of_rows(name: str) -> bool:
    """Return whether a column is called like one that names people or cases: by its last word.

    Examples
    --------
    >>> is_name_of_rows("patient_nbr"), is_name_of_rows("customerID"), is_name_of_rows("id_type")
    (True, True, False)
    """
    return not {*words_of(name)[-1:], whole(name)}.isdisjoint(PEOPLE)


def begins(name: str, stems: Iterable[str]) -> bool:
    """Return whether a word of the name begins with one of the stems."""
    parts = words_of(name)
    return any(part.startswith(stem) for part in parts for stem in stems)


def protected_by_name(name: str) -> str:
    """Return the protected characteristic that a name says, empty where it says none.

    Examples
    --------
    >>> protected_by_name("RAC1P"), protected_by_name("marital_status"), protected_by_name("package")
    ('race or ethnicity', 'marital status', '')
    >>> protected_by_name("white"), protected_by_name("White blood cells"), protected_by_name("car age")
    ('race or ethnicity', '', '')
    """
    joined = whole(name)
    inside = (kind for part, kind in INSIDE.items() if part in joined)
    said = (kind for kind, known in PROTECTED.items() if holds(name, known))
    kind = EXACTLY.get(joined) or next(said, "") or next(inside, "")
    return "" if holds(name, THINGS.get(kind, ())) else kind


def protected_by_values(values: Iterable[object]) -> str:
    """Return the protected characteristic that two of the values say; empty where they say none.

    Examples
    --------
    >>> protected_by_values(["Female", "Male"]), protected_by_values(["female", "x", "y"])
    ('sex', '')
    """
    found = {str(value).strip().casefold() for value in values}
    return next((kind for kind, known in GROUPS.items() if len(found & known) >= 2), "")
