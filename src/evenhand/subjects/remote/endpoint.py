"""The declaration of a model behind HTTP: where it is, what a request holds, and how its answer is read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from evenhand.documents import parse_toml, read_bytes
from evenhand.errors import ModelError, did_you_mean, quoted, raise_all, shorten
from evenhand.settings import Declared, setting, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
PLACE: Final = re.compile(r"\{([^{}]*)\}")
Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Endpoint(Declared):
    """A model behind HTTP.

    Examples
    --------
    >>> chat = Endpoint("http://localhost:8000/v1/chat/completions", protocol="chat", template="Repaid? {income}",
    ...     answers=("no", "yes"))
    >>> chat.bodies([{"income": 3}])[0]["messages"]
    [{'role': 'user', 'content': 'Repaid? 3'}]
    """

    url: str = setting("", "Address that requests are posted to.")
    protocol: Literal["rows", "chat", "completions"] = setting(
        "rows", "What is sent: {rows: [...]} for {scores: [...]} or {labels: [...]}; or a prompt a row, as to OpenAI's "
        "chat or completions.",
    )  # fmt: skip
    model: str = setting("", "Model that chat and completions ask for.")
    template: str = setting("", "Prompt of a row, with columns in braces: Is this loan repaid? Income {income}.")
    system: str = setting("", "System message of a chat.")
    answers: tuple[str, ...] = setting((), "Labels that an answer may name; the first that it names is the decision.")
    otherwise: str | None = setting(None, "Label of an answer that names none; refused when not given.")
    most_tokens: int = setting(16, "Tokens of an answer.", least=1)
    key_from: str = setting("", "Environment variable that holds the key; the key is never written anywhere.")
    batch: int = setting(64, "Rows of a request of rows.", least=1)
    timeout: float = setting(60.0, "Seconds until a request is given up.", above=0)
    tries: int = setting(5, "Times that a request is sent before it fails.", least=1)
    concurrency: int = setting(4, "Requests at the same time.", least=1)
    most_rows: int = setting(20_000, "Rows that are asked for in one run, cached ones apart.", least=1)
    cache: str = setting(
        ".evenhand-answers", "Folder that keeps answers by a hash of their rows, so that a run goes on where it ended."
    )

    def contradictions(self) -> Iterator[str]:
        """Yield what does not fit together."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            yield f"url is {quoted(shorten(self.url))}, and must begin with https:// or http://."
        elif parts.username or parts.password:
            yield "url holds a user or a password; keep a key in the environment, and name it with key_from."
        elif parts.scheme == "http" and self.key_from and parts.hostname not in LOCAL:
            yield f"url is http://: the key would travel readable to {shorten(parts.hostname)}. Use https://."
        if self.protocol == "rows":
            if self.template or self.answers or self.otherwise is not None:
                yield 'template, answers and otherwise are for protocol = "chat" or "completions".'
            return
        if not self.template:
            yield f'protocol = "{self.protocol}" needs a template, such as "Is this loan repaid? Income {{income}}".'
        if len(self.answers) < 2:
            yield f'protocol = "{self.protocol}" needs the answers that are labels, such as ["no", "yes"].'
        if self.otherwise is not None and self.otherwise not in self.answers:
            yield f"otherwise is {quoted(self.otherwise)}, which is none of the answers."

    def bodies(self, rows: Sequence[Row]) -> list[dict[str, object]]:
        """Return the request of these rows, which are one batch; of prompts, one request a row."""
        if self.protocol == "rows":
            return [{"rows": [dict(row) for row in rows]}]
        return [self._prompted(_filled(self.template, row)) for row in rows]

    def _prompted(self, prompt: str) -> dict[str, object]:
        usual: dict[str, object] = {"max_tokens": self.most_tokens, "temperature": 0, "seed": 0}
        usual |= {"model": self.model} if self.model else {}
        if self.protocol == "completions":
            return usual | {"prompt": prompt}
        system = [{"role": "system", "content": self.system}] if self.system else []
        return usual | {"messages": [*system, {"role": "user", "content": prompt}]}

    def read(self, found: object, rows: int) -> list[float | str]:
        """Return one answer a row.

        Raises
        ------
        ModelError
            When the answer is not of the protocol, has another number of rows, or names none of the labels.
        """
        return self._of_rows(found, rows) if self.protocol == "rows" else [self._label(self._text(found))]

    def _of_rows(self, found: object, rows: int) -> list[float | str]:
        held = found if isinstance(found, Mapping) else {}
        values = held.get("scores", held.get("labels"))
        if not isinstance(values, list) or len(values) != rows:
            told = f"{len(values):,} answers" if isinstance(values, list) else "neither scores nor labels"
            raise ModelError(f"{self.name}: {told} came for {rows:,} rows; {{scores: [...]}}, one a row, is expected.")
        if not all(isinstance(value, (int, float, str)) for value in values):
            raise ModelError(f"{self.name}: an answer is neither a number nor a text.")
        return values

    def _text(self, found: object) -> str:
        try:
            choice = found["choices"][0]  # type: ignore[index]
            text = choice["text"] if self.protocol == "completions" else choice["message"]["content"]
        except (KeyError, IndexError, TypeError):
            raise ModelError(f"{self.name}: the answer has no text where {self.protocol} has it.") from None
        return text if isinstance(text, str) else ""

    def _label(self, text: str) -> str:
        places = {}
        for answer in self.answers:
            at = re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", text, re.IGNORECASE)
            if at is not None:
                places[answer] = (at.start(), -len(answer))
        if places:
            return min(places, key=places.__getitem__)
        if self.otherwise is None:
            raise ModelError(
                f"{self.name}: an answer names none of {', '.join(self.answers)}: {quoted(shorten(text, 80))}. Say "
                "what such an answer counts as with otherwise, or give more most_tokens."
            )
        return self.otherwise

    @property
    def name(self) -> str:
        """What sentences call it: its model, or its host."""
        return self.model or str(urlsplit(self.url).hostname)

    @property
    def fingerprint(self) -> str:
        """A hash of all that decides an answer: an answer of another prompt or model is not taken from the cache."""
        named = ("url", "protocol", "model", "template", "system", "answers", "otherwise", "most_tokens")
        return digest([str(getattr(self, name)) for name in named])


def digest(value: object) -> str:
    """Return the sha256 of plain data."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def read_endpoint(place: Path) -> Endpoint:
    """Read the declaration of an endpoint, a file of TOML.

    Raises
    ------
    ModelError
        With every key that is unknown or wrong.
    """
    held = parse_toml(read_bytes(place, kind=ModelError), place, kind=ModelError)
    known = settings_of(Endpoint)
    strange = [key for key in held if key not in known]
    raise_all(ModelError, (f"{place}: there is no '{key}'.{did_you_mean(key, known)}" for key in strange))
    return Endpoint(**{key: _listed(value) for key, value in held.items()})  # type: ignore[arg-type]


def _listed(value: object) -> object:
    """Return a list of TOML as the tuple that a setting is."""
    return tuple(value) if isinstance(value, list) else value


def _filled(template: str, row: Row) -> str:
    """Return the prompt of a row; a value that holds braces is not looked into."""

    def value(place: re.Match[str]) -> str:
        if place[1] not in row:
            raise ModelError(f"template names {{{place[1]}}}, which is no input.{did_you_mean(place[1], row)}")
        return str(row[place[1]])

    return PLACE.sub(value, template)
