"""What a worker of any library does: load, fit cold, fit warm, predict, and say how long each took.

A worker is a process of its own. It prints one JSON object and leaves the probabilities of the test rows as little-endian
doubles in a file, so that all are judged by the same code.
"""

import argparse
import json
import os
import sys
import time

import numpy


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", required=True, help="Parquet of the training rows")
    parser.add_argument("--test", required=True, help="Parquet of the test rows")
    parser.add_argument("--family", required=True)
    parser.add_argument("--cores", type=int, required=True)
    parser.add_argument("--fits", type=int, default=2, help="the first is cold, the others are warm")
    parser.add_argument("--predictions", required=True, help="where the probabilities go")
    return parser.parse_args()


def timed(work):
    begun = time.perf_counter()
    outcome = work()
    return outcome, time.perf_counter() - begun


def run(options, start, load, fit, predict, versions):
    """`start` to a ready engine, `load` of both files, `fit` of the training rows, `predict` of the test rows."""
    engine, start_seconds = timed(lambda: start(options))
    (train, test), load_seconds = timed(lambda: load(engine, options))
    fits = []
    model = None
    for _ in range(options.fits):
        model, seconds = timed(lambda: fit(engine, options, train))
        fits.append(seconds)
    probabilities, predict_seconds = timed(lambda: predict(engine, model, test))
    numpy.asarray(probabilities, dtype="<f8").tofile(options.predictions)
    json.dump(
        {
            "start_seconds": start_seconds,
            "load_seconds": load_seconds,
            "fit_seconds": fits,
            "predict_seconds": predict_seconds,
            "versions": versions(),
        },
        sys.stdout,
    )
    sys.stdout.flush()
    # An engine that takes its time to end, or does not end, is no part of what is measured. A JVM ends with its parent.
    os._exit(0)
