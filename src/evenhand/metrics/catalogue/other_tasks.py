"""Metrics of labels that are not one of two classes: several classes, several labels, numbers, places in a list."""

from __future__ import annotations

from typing import Final

from evenhand.metrics.catalogue.entry import Metric

_SOKOLOVA = "Sokolova and Lapalme (2009), Information Processing & Management 45"


_ALIKE = "(0.90 + 0.60 + 0.30) / 3 = 0.60"
_BY_ROWS = "0.5 x 0.90 + 0.3 x 0.60 + 0.2 x 0.30 = 0.69"

_CLASSES: Final = (
    *(
        Metric(
            name, label, "composite", "higher_is_better", formula, meaning, misleads, _SOKOLOVA, task="multiclass",
            example=example,
        )
        for name, label, formula, meaning, misleads, example in (
            ("macro_recall", "Macro recall", "mean over classes of recall",
                "The mean recall of the classes, each counting alike.",
                "A class of few rows moves it as much as one of many, and its recall is known least.", _ALIKE),
            ("macro_precision", "Macro precision", "mean over classes of precision",
                "The mean precision of the classes, each counting alike.",
                "A class that is never predicted counts as 0.", _ALIKE),
            ("macro_f1", "Macro F1", "mean over classes of F1", "The mean F1 of the classes, each counting alike.",
                "It hides which class is poor; the table of classes shows it.", _ALIKE),
            ("weighted_precision", "Weighted precision", "mean over classes of precision, by rows of the class",
                "The mean precision of the classes, each with the weight of its rows in the truth.",
                "A common class hides a rare one.", _BY_ROWS),
            ("weighted_f1", "Weighted F1", "mean over classes of F1, by rows of the class",
                "The mean F1 of the classes, each with the weight of its rows in the truth.",
                "A common class hides a rare one.", _BY_ROWS),
        )
    ),
    Metric("selection_distance", "Distance between predictions", "statement", "lower_is_better",
        "max over pairs of groups of sum over classes of |difference of shares| / 2",
        "How far apart two groups' shares of predicted classes are (total variation): 0 when alike, 1 when disjoint.",
        "Groups may differ in what they are, and then a right model predicts different classes.",
        "Denis et al. (2024), JMLR 25, for demographic parity with several classes", task="multiclass",
        example="(|0.5 - 0.3| + |0.3 - 0.3| + |0.2 - 0.4|) / 2 = 0.20"),
    Metric("equalized_odds_distance", "Distance between predictions, truth alike", "statement", "lower_is_better",
        "max over classes of the truth of the distance between the groups' predictions",
        "As the distance between predictions, among rows of the same true class: equalized odds for several classes.",
        "The class where the groups are smallest is known least, and often decides it.", "Hardt et al. (2016), NeurIPS",
        task="multiclass", example="max(0.10, 0.25, 0.05) = 0.25"),
)  # fmt: skip

_LABELS: Final = (
    Metric("subset_accuracy", "Exact match", "score", "higher_is_better", "rows with every label right / n",
        "The share of rows of which every label is right.", "One wrong label of twenty counts as much as twenty.",
        "Tsoumakas and Katakis (2007), IJDWM 3", ("exact_match_ratio",), task="multilabel", example="70 / 100 = 0.70"),
    Metric("hamming_loss", "Hamming loss", "score", "lower_is_better", "wrong labels / labels",
        "The share of labels that are wrong.", "Where most labels are absent, saying none is nearly right.",
        "Schapire and Singer (2000), Machine Learning 39", task="multilabel", example="30 / (100 x 5) = 0.06"),
    Metric("micro_f1", "Micro F1", "score", "higher_is_better", "F1 over all labels of all rows together",
        "F1 over all labels together.", "A common label hides a rare one.", _SOKOLOVA, task="multilabel",
        example="2 x 40 / (2 x 40 + 20 + 10) = 0.73"),
)  # fmt: skip

_NUMBERS: Final = (
    Metric("mean_absolute_error", "Mean absolute error", "score", "lower_is_better", "mean of |prediction - truth|",
        "How far predictions are from the truth, in its own unit.",
        "Groups of greater values often have greater errors.",
        "Willmott and Matsuura (2005), Climate Research 30", ("mae",), highest=None, task="regression",
        example="(|12 - 10| + |7 - 11|) / 2 = 3"),
    Metric("median_absolute_error", "Median absolute error", "score", "lower_is_better",
        "median of |prediction - truth|", "Half of the predictions are nearer to the truth than this, in its own unit.",
        "It says nothing of the half that is farther off.",
        "Huber and Ronchetti, Robust Statistics (2009), for the median absolute deviation", ("medae",), highest=None,
        task="regression", example="median of 1, 2, 9 = 2"),
    Metric("mean_squared_error", "Mean squared error", "score", "lower_is_better",
        "mean of (prediction - truth) squared",
        "The mean squared distance of predictions from the truth; its greatest value over groups is the bounded group "
        "loss of Agarwal et al. (2019).", "A few rows far off decide it.",
        "Agarwal, Dudik and Wu (2019), ICML, for the bounded group loss", ("mse",), highest=None, task="regression",
        example="((12 - 10)² + (7 - 11)²) / 2 = 10"),
    Metric("root_mean_squared_error", "Root mean squared error", "score", "lower_is_better",
        "square root of the mean squared error", "The mean squared error, back in the unit of the truth.",
        "A few rows far off decide it.", "Chai and Draxler (2014), Geoscientific Model Development 7", ("rmse",),
        highest=None, task="regression", example="sqrt(((12 - 10)² + (7 - 11)²) / 2) = 3.16"),
    Metric("r2", "R squared", "score", "higher_is_better", "1 - mean squared error / variance of the truth",
        "The share of the truth's variance that predictions explain.",
        "Groups of little variance have a low one at the same error.", "Kvalseth (1985), The American Statistician 39",
        ("r2_score",), lowest=None, task="regression", example="1 - 10 / 40 = 0.75"),
    Metric("mean_residual", "Mean residual", "score", "neutral", "mean of prediction - truth",
        "Whether predictions are too high (above 0) or too low on average.", "Errors of both signs cancel.",
        "Willmott (1982), Bulletin of the American Meteorological Society 63", ("mean_error", "bias"), lowest=None,
        highest=None, task="regression", example="((12 - 10) + (7 - 11)) / 2 = -1"),
    Metric("mean_prediction", "Mean prediction", "score", "neutral", "mean of predictions",
        "The mean prediction; the truth takes no part in it.", "Groups may differ in the truth.",
        "Fairlearn user guide, assessment of numbers", (), lowest=None, highest=None, task="regression",
        example="(12 + 7) / 2 = 9.5"),
    Metric("quantile_coverage", "Share at or below the prediction", "score", "neutral",
        "rows with truth <= prediction / n",
        "For a model of a quantile, 0.9 say, it should be that quantile in every group.",
        "For a model of the mean it need not be 0.5.", "Romano et al. (2020), Harvard Data Science Review 2",
        task="regression", example="88 / 100 = 0.88"),
)  # fmt: skip

_PLACES: Final = (
    Metric("ndcg", "NDCG", "score", "higher_is_better", "mean over lists of (discounted gain / that of the best order)",
        "How near the order of each list is to the best one.",
        "It looks at the whole list; who reads only the first few should ask for ndcg[;at=10].",
        "Jarvelin and Kekalainen (2002), ACM TOIS 20", ("ndcg_score",), task="ranking",
        example="(1/log2 2 + 0/log2 3 + 1/log2 4) / (1/log2 2 + 1/log2 3) = 0.92"),
    Metric("recall_at_k", "Recall in the first k", "score", "higher_is_better",
        "mean over lists of (relevant items among the first k / relevant items of the list)",
        "How much of what is relevant to somebody is among the first k (at) items; relevant is any relevance above 0.",
        "Where more than k items of a list are relevant it cannot be 1; lists with nothing relevant are left out.",
        "Gunawardana, Shani and Yogev (2022), Recommender Systems Handbook", task="ranking",
        example="2 of 5 relevant items among the first 10: 2 / 5 = 0.40"),
    Metric("precision_at_k", "Precision in the first k", "score", "higher_is_better",
        "mean over lists of (relevant items among the first k / k)",
        "How much of the first k (at) items is relevant: any relevance above 0.",
        "Where a list has fewer than k relevant items it cannot be 1, so groups with fewer have a lower one.",
        "Gunawardana, Shani and Yogev (2022), Recommender Systems Handbook", task="ranking",
        example="2 relevant items among the first 10: 2 / 10 = 0.20"),
    Metric("hit_rate_at_k", "Hit rate in the first k", "score", "higher_is_better",
        "lists with a relevant item among the first k / lists with a relevant item",
        "How often at least one of the first k (at) items is relevant: any relevance above 0.",
        "One relevant item counts as much as many, and those who have many are hit more easily.",
        "Deshpande and Karypis (2004), ACM TOIS 22", ("hit_ratio_at_k",), task="ranking",
        example="60 of 80 lists: 60 / 80 = 0.75"),
    Metric("popularity_lift", "Popularity lift", "score", "neutral",
        "mean popularity of the first k / mean popularity of earlier choices - 1, means over lists of means in a list",
        "By how much more popular (above 0) the first k (at) items are than what the same people chose before.",
        "Popularity is that of the column that was given; counted in other rows it may be another.",
        "Abdollahpouri et al. (2019), RMSE workshop at RecSys; Kowald, Schedl and Lex (2020), ECIR", lowest=-1.0,
        highest=None, task="ranking", example="240 / 160 - 1 = 0.50"),
    Metric("miscalibration", "Miscalibration of categories", "score", "lower_is_better",
        "mean over lists of sum over categories of p ln(p / (0.99 q + 0.01 p)), p of the history and q of the first k",
        "How far the categories of the first k (at) items are from those of what was chosen before: 0 when shared "
        "alike, at most ln 100 = 4.6.",
        "Few items cannot hold many categories in their shares, so it is above 0 even of the best list.",
        "Steck (2018), RecSys", highest=4.605170185988092, task="ranking",
        example="0.5 x ln(0.5 / 0.797) + 0.5 x ln(0.5 / 0.203) = 0.22"),
    Metric("exposure", "Exposure", "score", "neutral", "mean over items of 1 / log2(1 + place)",
        "How much attention the places of a group's items get.", "Real attention may fall faster than the logarithm.",
        "Singh and Joachims (2018), KDD", task="ranking", example="(1/log2 2 + 1/log2 4) / 2 = 0.75"),
    Metric("exposure_to_merit", "Exposure per merit", "score", "neutral", "mean exposure / mean relevance",
        "Exposure compared with what the items are worth: alike where attention is given by merit.",
        "Relevance that was learned from clicks holds past exposure in it.", "Singh and Joachims (2018), KDD",
        highest=None, task="ranking", example="0.75 / 0.50 = 1.50"),
)  # fmt: skip

_MORRIS: Final = "Morris, Maier and Green (2004), Interspeech"
_TRANSCRIPTS: Final = (
    Metric("word_error_rate", "Word error rate", "score", "lower_is_better",
        "(substitutions + deletions + insertions) / words of the references",
        "The edits that make what was heard of what was said, over the words that were said, of all rows together.",
        "A wrong ending counts as much as a wrong name. It can exceed 1, as words are inserted, and says little of "
        "languages that are written without blanks: see the character error rate.",
        _MORRIS, ("wer",), highest=None, task="transcription", example="(3 + 1 + 2) / 40 = 0.15"),
    Metric("character_error_rate", "Character error rate", "score", "lower_is_better",
        "(substitutions + deletions + insertions of characters) / characters of the references",
        "As the word error rate, of characters; blanks between words are characters.",
        "Many small slips weigh as much as few words that are wholly wrong.",
        _MORRIS, ("cer",), highest=None, task="transcription", example="(5 + 2 + 3) / 200 = 0.05"),
    Metric("substitution_rate", "Substitution rate", "score", "lower_is_better",
        "substituted words / words of the references", "The share of words that were heard as another word.",
        "Of several ways to count as few edits, that with the most matching words is taken; other tools may take "
        "another, with the same word error rate.",
        _MORRIS, task="transcription", example="3 / 40 = 0.075"),
    Metric("deletion_rate", "Deletion rate", "score", "lower_is_better",
        "deleted words / words of the references", "The share of words that were not heard at all.",
        "A system that stays silent when unsure has few substitutions and many deletions.",
        _MORRIS, task="transcription", example="1 / 40 = 0.025"),
    Metric("insertion_rate", "Insertion rate", "score", "lower_is_better",
        "inserted words / words of the references",
        "Words that nobody said, over the words that were said; of silence they count in the whole.",
        "It can exceed 1: invented sentences (hallucinations) are long.",
        "Koenecke et al. (2024), FAccT, for invented sentences", highest=None, task="transcription",
        example="2 / 40 = 0.05"),
    Metric("sentence_error_rate", "Sentence error rate", "score", "lower_is_better", "rows with an edit of a word / n",
        "The share of utterances that are not wholly right.", "Longer utterances are more often wrong somewhere.",
        _MORRIS, ("ser",), task="transcription", example="9 / 20 = 0.45"),
)  # fmt: skip

_CLUSTERS: Final = (
    Metric("cluster_balance", "Balance of clusters", "statement", "higher_is_better",
        "min over clusters and pairs of groups of rows of one group / rows of the other",
        "How even the most uneven cluster is: 1 when all groups have as many rows in each, 0 when a group has none in "
        "one.",
        "No clustering is more even than the rows are, whose own balance bounds it; and one small cluster decides it.",
        "Chierichetti et al. (2017), NeurIPS", task="clustering", example="min(30 / 60, 20 / 25) = 0.50"),
    Metric("cluster_representation", "Representation in clusters", "statement", "higher_is_better",
        "min over clusters and groups of the lesser of (share of the cluster / share of all rows) and its inverse",
        "How near each group's share of each cluster is to its share of all rows: 1 when the same everywhere.",
        "Groups may differ in what clusters are made of, and then a clustering that serves them well is uneven.",
        "Bera et al. (2019), NeurIPS", task="clustering", example="min(0.30 / 0.40, 0.40 / 0.50) = 0.75"),
    Metric("balance_of_rows", "Balance of all rows", "statement", "neutral",
        "min over pairs of groups of rows of one group / rows of the other",
        "What the balance of clusters can be at most.", "It is a property of the rows, not of the clustering.",
        "Chierichetti et al. (2017), NeurIPS", task="clustering", example="50 / 85 = 0.59"),
    Metric("cluster_share", "Share of a cluster", "statement", "neutral",
        "rows of the group in the cluster / rows of the cluster", "What a cluster is made of.",
        "It grows with the group: compare it with the group's share of all rows.",
        "Bera et al. (2019), NeurIPS", task="clustering", example="30 / 90 = 0.33"),
    Metric("mean_distance", "Mean distance to the centre", "score", "lower_is_better",
        "mean of the distance of a row to the centre of its cluster",
        "How well clusters stand for a group's rows; its greatest value over groups is what socially fair clustering "
        "makes small.",
        "A group that is spread more widely is farther from any centre. Of squared distances it is the cost of "
        "k-means.",
        "Ghadiri, Samadi and Vempala (2021), FAccT; Abbasi, Bhaskara and Venkatasubramanian (2021), FAccT",
        highest=None, task="clustering", example="(0.8 + 1.4) / 2 = 1.1"),
)  # fmt: skip

OTHER_TASKS: Final = (*_CLASSES, *_LABELS, *_NUMBERS, *_PLACES, *_TRANSCRIPTS, *_CLUSTERS)
