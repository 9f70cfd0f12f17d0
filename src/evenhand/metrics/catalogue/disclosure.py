"""Metrics of what the rows give away of people: stated by the audit of disclosure."""

from __future__ import annotations

from typing import Final

from evenhand.metrics.catalogue.entry import Metric

DISCLOSURE: Final = (
    Metric("k_anonymity", "k-anonymity", "statement", "higher_is_better",
        "rows of the smallest class of rows that are equal in all quasi-identifiers",
        "Among how many rows that an outsider cannot tell apart each row is, at least.",
        "It says nothing of what those rows have in common: if all have the same label, it is known of each.",
        "Samarati and Sweeney (1998)", highest=None, example="min(7, 4, 12) = 4"),
    Metric("unique_share", "Rows that are unique", "score", "lower_is_better",
        "rows that no other row equals in all quasi-identifiers / rows",
        "How many people are singled out by what an outsider may know of them.",
        "Who is unique in a sample need not be so among all people; with a register, one can be found nevertheless.",
        "Sweeney (2000), Simple Demographics Often Identify People Uniquely", example="30 / 1000 = 0.03"),
    Metric("small_class_share", "Rows in a small class", "score", "lower_is_better",
        "rows that fewer than k rows equal in all quasi-identifiers / rows",
        "How many people are among fewer than k who cannot be told apart.",
        "The k is a choice (5 unless another is given), and so are the quasi-identifiers.",
        "Samarati and Sweeney (1998)", example="80 / 1000 = 0.08"),
    Metric("l_diversity", "l-diversity", "statement", "higher_is_better",
        "fewest distinct values of a sensitive column in a class of equal quasi-identifiers",
        "How many values a sensitive column has among rows that cannot be told apart; 1 gives it away.",
        "Two values may be of 99 rows and of one, which gives it away nearly as well.",
        "Machanavajjhala et al. (2007), ACM TKDD 1", highest=None, example="min(2, 1, 3) = 1"),
    Metric("t_closeness", "t-closeness", "statement", "lower_is_better",
        "greatest earth mover's distance between a sensitive column in a class and in all rows",
        "How much more is known of a sensitive column of people whose class is known.",
        "Small classes are far from all rows by chance alone.",
        "Li et al. (2007), ICDE", example="|1.0 - 0.6| = 0.40"),
    Metric("personal_data_columns", "Columns with personal data", "statement", "lower_is_better",
        "columns in which names, addresses or numbers of people were found",
        "How many columns hold personal data in plain sight.",
        "What has no known form (nicknames, free text about somebody) is not found.",
        "GDPR, article 4(1)", highest=None, example="1 + 1 = 2"),
    Metric("personal_values", "Rows with personal data", "statement", "lower_is_better",
        "rows of a column in which a kind of personal data was found",
        "How many rows of a column hold mail addresses, telephone numbers or numbers by which people are registered.",
        "A form is no proof: a number with a right check digit may be another number.",
        "GDPR, article 4(1)", highest=None, example="1 + 1 = 2"),
    Metric("personal_data_in_files", "Personal data in the model's file", "statement", "lower_is_better",
        "mail addresses and numbers of people found as text in a file",
        "Whether a file that is handed on holds personal data as text.",
        "What is compressed or encoded inside the file is not seen.",
        "GDPR, article 4(1)", highest=None, example="1 + 1 = 2"),
)  # fmt: skip
