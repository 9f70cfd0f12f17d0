"""Recommenders of films, audited for their users: who is served well, what is pushed, and what rounding to int8 does.

MovieLens-100K: 943 people, 1,682 films, 100,000 ratings. Part one ranks all films that a person has not rated yet; part
two, in the folder explicit, predicts ratings. The data are those of the package recbole 1.2.1, which is not imported.

Run it with: python examples/recommenders.py [folder]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import nn

import evenhand as eh
from evenhand.compression import Int8, compress
from evenhand.training import TrainingConfig, fit

if TYPE_CHECKING:
    from numpy.typing import NDArray

USERS, FILMS = ("gender", "age", "occupation", "history"), ("decade", "reach")
SENSITIVE = [*USERS, *FILMS]
LIKED, NEGATIVES, SHOWN = 4, 4, 10
NETWORK = {"epochs": 4, "patience": 3, "hidden": (32,), "baseline": False, "batch_size": 512, "learning_rate": 0.005}
NETWORKS = {"wide_deep": {}, "deepfm": {"embedding": 16}}
LISTS = ("ndcg", "recall_at_k", "hit_rate_at_k")

POLICY = """
[limits]
# the most popular films, the same for all, reach 0.095: a model has to be worth more than no model
"ndcg[;at=10]" = { at_least = 0.095 }
# four fifths: whom it serves worst gets at least 0.8 of the quality of those whom it serves best
"ndcg_ratio[gender;at=10]" = { at_least = 0.8 }
# rounding may cost nobody more than a fifth of that quality
"ndcg_change[gender=*;at=10;of=original]" = { at_least = -0.02 }
"ndcg_change[history=*;at=10;of=original]" = { at_least = -0.02 }
# what is shown may be at most twice as popular as what the same people chose themselves
"popularity_lift[gender=*;at=10]" = { at_most = 1.0 }
"""
RATINGS_POLICY = """
[limits]
# the published range of matrix factorisation on these ratings
root_mean_squared_error = { at_most = 0.95 }
# a tenth of a star is the least difference that a page of half stars can be said to show
"root_mean_squared_error_difference[gender]" = { at_most = 0.1 }
"root_mean_squared_error_difference[age]" = { at_most = 0.1 }
"mean_residual_difference[gender]" = { at_most = 0.1 }
"""


@dataclass(frozen=True)
class Films:
    """Ratings in the order of time, and what is known of people and films."""

    ratings: pd.DataFrame
    """One row a rating: positions of user and film, stars, and the part, 70 % train, 10 % validation, 20 % test."""
    users: pd.DataFrame
    films: pd.DataFrame

    def seen(self, *parts: str) -> NDArray[np.bool_]:
        """Return (users, films) whether a film was rated in these parts."""
        found = np.zeros((len(self.users), len(self.films)), dtype=bool)
        rows = self.ratings[self.ratings["part"].isin(parts)]
        found[rows["user"], rows["film"]] = True
        return found

    def rows(self, user: NDArray[np.intp], film: NDArray[np.intp], liked: NDArray[np.float64]) -> pd.DataFrame:
        """Return what is known of pairs of user and film."""
        of_user, of_film = self.users.iloc[user], self.films.iloc[film]
        return pd.DataFrame(
            {
                "list": of_user["user"].to_numpy(), "user": of_user["user"].to_numpy(),
                **{name: of_film[name].to_numpy() for name in ("film", "genres", "year", "popularity", *FILMS)},
                **{name: of_user[name].to_numpy() for name in USERS}, "liked": liked,
            }
        )  # fmt: skip


def movielens() -> Films | None:
    """Return the data; None where the package that holds them is not installed."""
    found = find_spec("recbole")
    folder = None if found is None or found.origin is None else Path(found.origin).parent / "dataset_example/ml-100k"
    if folder is None or not folder.is_dir():
        return None
    given, users, films = (
        pd.read_csv(folder / f"ml-100k.{part}", sep="\t", dtype=str).rename(columns=lambda name: name.partition(":")[0])
        for part in ("inter", "user", "item")
    )
    given = given.astype({"rating": float, "timestamp": float})
    given = given.sort_values(["user_id", "timestamp", "item_id"], ignore_index=True)
    place, all_of = given.groupby("user_id").cumcount(), given.groupby("user_id")["rating"].transform("size")
    ratings = pd.DataFrame(
        {
            "user": pd.Index(users["user_id"]).get_indexer(given["user_id"]),
            "film": pd.Index(films["item_id"]).get_indexer(given["item_id"]),
            "stars": given["rating"],
            "part": np.select(
                [place < (0.7 * all_of).round(), place < (0.8 * all_of).round()], ["train", "validation"], "test"
            ),
        }
    )  # fmt: skip
    earlier = ratings[ratings["part"] != "test"]
    known = earlier["user"].value_counts().reindex(range(len(users)), fill_value=0).to_numpy()
    count = earlier["film"].value_counts().reindex(range(len(films)), fill_value=0).to_numpy()
    year = pd.to_numeric(films["release_year"], errors="coerce").fillna(1995).to_numpy()
    return Films(
        ratings,
        pd.DataFrame(
            {
                "user": "u" + users["user_id"], "gender": users["gender"], "occupation": users["occupation"],
                "age": pd.cut(users["age"].astype(int), [0, 18, 25, 35, 50, 100], right=False,
                    labels=["under 18", "18 to 24", "25 to 34", "35 to 49", "50 and over"]).astype(str),
                "history": np.select([known < 30, known < 100], ["under 30", "30 to 99"], "100 and more"),
            }
        ),
        pd.DataFrame(
            {
                "film": "f" + films["item_id"], "genres": films["class"].str.replace(" ", "|"), "year": year,
                "decade": np.where(year < 1970, "before 1970", (year // 10 * 10).astype(int).astype(str)),
                "popularity": count, "reach": np.where(count >= np.quantile(count, 0.8), "head", "tail"),
            }
        ),
    )  # fmt: skip


def lists_to_learn(data: Films, part: str, seed: int) -> eh.EvaluationSet:
    """Return a list for each liked film, with films that the person has not rated: drawn alike, popular or not."""
    rng, seen = np.random.default_rng(seed), data.seen("train")
    liked = data.ratings[(data.ratings["part"] == part) & (data.ratings["stars"] >= LIKED)]
    each = NEGATIVES + 1
    user, film = np.repeat(liked["user"].to_numpy(), each), rng.integers(0, len(data.films), len(liked) * each)
    while (wrong := seen[user, film]).any():
        film[wrong] = rng.integers(0, len(data.films), int(wrong.sum()))
    film[::each] = liked["film"]
    first = (np.arange(len(user)) % each == 0).astype(float)
    rows = data.rows(user, film, first).assign(list=np.repeat(np.arange(len(liked)), each))
    return ranking(rows, f"liked films, {part}")


def ranking(rows: pd.DataFrame, name: str) -> eh.EvaluationSet:
    """Return rows as lists of films; a model reads user, film, genres and year."""
    return eh.read_evaluation_set(
        rows, label="liked", task="ranking", query="list", sensitive_features=SENSITIVE, exclude=["popularity"],
        name=name,
    )  # fmt: skip


def factors(users: int, films: int, length: int) -> nn.ModuleDict:
    """Return a matrix factorisation: a vector and a bias of each user and film."""
    torch.manual_seed(0)
    sizes = {"p": (users, length), "q": (films, length), "b": (users, 1), "c": (films, 1)}
    made = nn.ModuleDict({name: nn.Embedding(*size) for name, size in sizes.items()})
    for name, table in made.items():
        nn.init.normal_(table.weight, std=0.1 if name in "pq" else 0.0)
    return made


def by_pairs(data: Films, epochs: int = 60) -> NDArray[np.float64]:
    """Return (users, films) scores of a matrix factorisation that puts liked films before others (BPR, Rendle 2009)."""
    liked = data.ratings[(data.ratings["part"] == "train") & (data.ratings["stars"] >= LIKED)]
    pairs, seen = torch.tensor(liked[["user", "film"]].to_numpy()), torch.as_tensor(data.seen("train"))
    model, draw = factors(len(data.users), len(data.films), 32), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(epochs):
        for batch in torch.randperm(len(pairs), generator=draw).split(2048):
            user, film = pairs[batch].T
            other = torch.randint(len(data.films), (len(batch),), generator=draw)
            p, q, r = model["p"](user), model["q"](film), model["q"](other)
            ahead = (p * (q - r)).sum(1) + (model["c"](film) - model["c"](other))[:, 0]
            loss = -(nn.functional.logsigmoid(ahead) * ~seen[user, other]).mean()
            loss = loss + 0.01 * (p**2 + q**2 + r**2).sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        return (model["p"].weight @ model["q"].weight.T + model["c"].weight.T).numpy()


def predicted_stars(data: Films, train: NDArray[np.bool_], epochs: int = 40) -> NDArray[np.float64]:
    """Return (n,) stars predicted by mean, biases and factors that were fitted on the ratings of `train` (n,)."""
    rows = torch.tensor(data.ratings[["user", "film"]].to_numpy())
    stars = torch.tensor(data.ratings["stars"].to_numpy(), dtype=torch.float32)
    chosen, draw = torch.tensor(np.flatnonzero(train)), torch.Generator().manual_seed(0)
    model, mean = factors(len(data.users), len(data.films), 32), stars[chosen].mean()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)

    def parts(at: torch.Tensor) -> tuple[torch.Tensor, ...]:
        user, film = rows[at].T
        return model["p"](user), model["q"](film), model["b"](user)[:, 0], model["c"](film)[:, 0]

    for _ in range(epochs):
        for batch in chosen[torch.randperm(len(chosen), generator=draw)].split(1024):
            p, q, b, c = parts(batch)
            loss = ((mean + b + c + (p * q).sum(1) - stars[batch]) ** 2).mean()
            loss = loss + 0.12 * ((p**2).sum(1) + (q**2).sum(1)).mean() + 0.02 * (b**2 + c**2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        p, q, b, c = parts(torch.arange(len(rows)))
        return (mean + b + c + (p * q).sum(1)).clamp(1, 5).double().numpy()


def rate(data: Films, folder: Path) -> None:
    """Audit predicted ratings of a fifth of all, drawn at random, as the published figures are; people are clusters."""
    test = np.random.default_rng(0).random(len(data.ratings)) < 0.2
    said, given = predicted_stars(data, ~test)[test], data.ratings[test]
    people = data.users.iloc[given["user"]].reset_index(drop=True)
    record = eh.audit_predictions(
        given["stars"].to_numpy(), said, task="regression", sensitive_features=people[list(USERS)],
        cluster=people["user"], intersections=1, audits=["numbers", "data_quality"], name="ratings",
    )  # fmt: skip
    write(folder, record, RATINGS_POLICY)
    for key in (
        "root_mean_squared_error", *(f"root_mean_squared_error[{group}]" for group in (
            "gender=F", "gender=M", "age=under 18", "age=50 and over", "history=under 30", "history=100 and more")),
        "root_mean_squared_error_difference[gender]", "root_mean_squared_error_difference[occupation]",
        "mean_residual_difference[gender]",
    ):  # fmt: skip
        print(figure(record, key))


def figure(record: eh.AuditRecord, key: str) -> str:
    """Return a finding in a line."""
    found = record[key]
    ends = (f"{end:.3g}" for end in (found.interval.low, found.interval.high))
    return f"{key:46} {found.estimate:8.3g}  [{', '.join(ends)}]"


def told(name: str, record: eh.AuditRecord) -> str:
    """Return a line of the comparison."""
    values = [record[f"{metric}[;at={SHOWN}]"].estimate for metric in LISTS]
    by_gender = [record[f"ndcg[gender={group};at={SHOWN}]"].estimate for group in ("F", "M")]
    return f"{name:18}" + " ".join(f"{value:7.3f}" for value in (*values, *by_gender))


def rank(data: Films, folder: Path) -> None:
    """Compare recommenders, and audit one beside its int8 twin."""
    user, film = np.nonzero(~data.seen("train", "validation"))
    liked = np.zeros((len(data.users), len(data.films)))
    last = data.ratings[(data.ratings["part"] == "test") & (data.ratings["stars"] >= LIKED)]
    liked[last["user"], last["film"]] = 1
    test = ranking(data.rows(user, film, liked[user, film]), "MovieLens-100K, unseen films")
    train, held = lists_to_learn(data, "train", 0), lists_to_learn(data, "validation", 1)
    print(f"{len(test):,} candidates: every film that one of {len(data.users)} people had not rated")
    models = {
        name: fit(train, held, TrainingConfig(network=name, **NETWORK, **more), name=name)
        for name, more in NETWORKS.items()
    }
    scores = {
        "most popular": data.films["popularity"].to_numpy(dtype=float)[film],
        "factorisation": by_pairs(data)[user, film],
    }
    scores["wide_deep"] = np.asarray(models["wide_deep"].predict(test.X))

    earlier = data.ratings[data.ratings["part"] != "test"]
    past = data.rows(earlier["user"].to_numpy(), earlier["film"].to_numpy(), np.zeros(len(earlier)))
    past[["list", "popularity", "genres"]].to_csv(folder / "history.csv", index=False)
    small = compress(models["deepfm"], Int8(), train=train)
    record = eh.audit(
        small, test, original=models["deepfm"], audits=["rankings", "compression", "data_quality"], explain=False,
        intersections=1, history=str(folder / "history.csv"), popularity="popularity", categories="genres",
    )  # fmt: skip
    write(folder, record, POLICY)

    print(f"{'':18}" + " ".join(f"{word:>7}" for word in ("NDCG", "recall", "hits", "women", "men")))
    for name, score in scores.items():
        print(told(name, eh.measure(
            test.y_true, score, task="ranking", query=test.table["list"], sensitive_features=test.table[["gender"]],
            metrics=LISTS,
        )))  # fmt: skip
    print(told("deepfm, int8", record))
    for key in (
        "ndcg_ratio[gender;at=10]", "ndcg_change[;at=10;of=original]", "ndcg_change[gender=F;at=10;of=original]",
        "popularity_lift[gender=F;at=10]", "popularity_lift[gender=M;at=10]", "miscalibration[gender=F;at=10]",
        "miscalibration[gender=M;at=10]", *(f"ndcg[{group};at=10]" for group in (
            "history=under 30", "history=30 to 99", "history=100 and more", "age=under 18", "age=50 and over")),
        *(f"recall_at_k[{group};at=10]" for group in ("history=under 30", "history=100 and more")),
        "exposure[reach=head;at=10]", "exposure[reach=tail;at=10]",
    ):  # fmt: skip
        print(figure(record, key))


def write(folder: Path, record: eh.AuditRecord, policy: str) -> None:
    """Write the record, the policy and the page, and print what was decided."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.toml").write_text(policy, encoding="utf-8")
    verdict = eh.judge(record, folder / "policy.toml")
    eh.write_record(folder / "audit.json", record)
    eh.write_report(folder / "report.html", record, verdict)
    print(verdict.sentence)


def main(folder: Path) -> None:
    """Audit both kinds of recommender."""
    data = movielens()
    if data is None:
        print("Left out: everything; it wants MovieLens-100K, which the package recbole 1.2.1 holds.")
        return
    folder.mkdir(parents=True, exist_ok=True)
    rank(data, folder)
    rate(data, folder / "explicit")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "evenhand-recommenders"))
