"""Check digits of numbers that belong to people."""

from __future__ import annotations

from datetime import date
from typing import Final

__all__ = ["card", "iban", "resident"]

WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
LAST: Final = "10X98765432"
ISSUERS: Final = ((4, 4, 1), (51, 55, 2), (2221, 2720, 4), (34, 34, 2), (37, 37, 2), (6011, 6011, 4), (65, 65, 2),
                  (62, 62, 2), (3528, 3589, 4))  # fmt: skip
"""First digits of cards' numbers: from, to, and how many digits."""
LENGTHS: Final = {"AT": 20, "BE": 16, "CH": 21, "DE": 22, "DK": 18, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "IE": 22,
                  "IT": 27, "LU": 20, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "SE": 24}  # fmt: skip
"""Characters of an IBAN of some countries; of others 15 to 34."""


def card(text: str) -> bool:
    """Return whether digits are the number of a payment card: an issuer's first digits and the Luhn check.

    Parameters
    ----------
    text : str
        Digits, with blanks or hyphens between.

    Examples
    --------
    >>> card("4111 1111 1111 1111"), card("4111 1111 1111 1112"), card("9111111111111113")
    (True, False, False)
    """
    digits = [int(sign) for sign in text if sign.isdigit()]
    begins = any(low <= int("".join(map(str, digits[:n]))) <= high for low, high, n in ISSUERS)
    doubled = [digit if at % 2 == 0 else digit * 2 - 9 * (digit > 4) for at, digit in enumerate(reversed(digits))]
    return 13 <= len(digits) <= 19 and begins and len(set(digits)) > 1 and sum(doubled) % 10 == 0


def iban(text: str) -> bool:
    """Return whether a text is an international bank account number (ISO 13616): its length and the remainder of 97.

    Parameters
    ----------
    text : str
        The number, with or without blanks.

    Examples
    --------
    >>> iban("DE89 3704 0044 0532 0130 00"), iban("DE88370400440532013000")
    (True, False)
    """
    plain = text.replace(" ", "")
    if not 15 <= len(plain) <= 34 or len(plain) != LENGTHS.get(plain[:2], len(plain)):
        return False
    turned = "".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])
    return int(turned) % 97 == 1


def resident(text: str) -> bool:
    """Return whether a text is a Chinese resident identity number (GB 11643): region, date of birth, check sign.

    Parameters
    ----------
    text : str
        Eighteen signs.

    Examples
    --------
    >>> resident("11010519491231002X"), resident("110105194912310021"), resident("110105194913310021")
    (True, False, False)
    """
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, text[:17], strict=True))
    return born.year >= 1890 and LAST[total % 11] == text[17].upper()
