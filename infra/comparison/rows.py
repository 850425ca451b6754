"""The rows that are learned from: read from the documents that `cache` keeps, and enlarged to larger sizes."""

import time

import numpy
import pandas
import pymongo

from columns import LABEL, PARTS, SEED, STORED, SUMS

# Minutes and their charge vary together; calls and messages are counts.
MINUTES = {f"total_{part}_minutes": f"total_{part}_charge" for part in PARTS}


def read_documents(url, database):
    """The labelled customers, and the seconds that reading them took."""
    begun = time.perf_counter()
    found = list(
        pymongo.MongoClient(url)[database]["customer_features"].find(
            {"label": {"$in": [True, False]}}, {name: 1 for name in [*STORED, "label", "customer_id"]}
        )
    )
    if not found:
        raise SystemExit("error: the documents hold no labelled customers")
    frame = pandas.DataFrame(found).rename(columns={"label": LABEL}).sort_values("customer_id", ignore_index=True)
    seconds = time.perf_counter() - begun
    for name in STORED:
        frame[name] = frame[name].astype(float)
    frame[LABEL] = frame[LABEL].astype(int)
    return with_sums(frame[[*STORED, LABEL]]), seconds


def with_sums(frame):
    """The rows with their sums over the parts of the day and abroad."""
    return frame.assign(**{name: frame[parts].sum(axis=1) for name, parts in SUMS.items()})


def divide(frame, test_share=0.2):
    """Training and test rows, with the same share of customers who left in both."""
    random = numpy.random.default_rng(SEED)
    test = numpy.zeros(len(frame), dtype=bool)
    for label in (0, 1):
        places = numpy.flatnonzero(frame[LABEL] == label)
        random.shuffle(places)
        test[places[: round(len(places) * test_share)]] = True
    return frame[~test].reset_index(drop=True), frame[test].reset_index(drop=True)


def enlarge(frame, size):
    """`size` rows that are drawn from `frame` with replacement; minutes vary by a twentieth, and their charge with them. `customer`
    says of which row each was drawn: whoever cross-validates must not have rows of one customer in two parts."""
    random = numpy.random.default_rng(SEED)
    places = random.integers(0, len(frame), size)
    drawn = frame.iloc[places].reset_index(drop=True)
    drawn["customer"] = places
    for minutes, charge in MINUTES.items():
        factor = random.normal(1.0, 0.05, size).clip(0.8, 1.2)
        drawn[minutes] = (drawn[minutes] * factor).round(2)
        drawn[charge] = (drawn[charge] * factor).round(2)
    return with_sums(drawn)
