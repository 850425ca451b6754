"""Scores prepared customers by scikit-learn's boosted trees and by ONNX Runtime with the same model, on one thread.

    score_peers.py TRAIN TEST WIDTH BATCH SINGLES

TRAIN and TEST hold rows of WIDTH columns, each with its label after it, as little-endian doubles. The model is fitted on the first
and scores the second: SINGLES rows alone, and BATCH rows at once. Prints one JSON object. `scripts/bench score` runs it.
"""

import json
import sys
import time
from statistics import median

import numpy
import sklearn
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

import fit_sklearn

RUNS = 5
# scikit-learn takes a millisecond for a single row: fewer of them are enough.
MOST_SLOW_SINGLES = 2_000


def rows_of(path, width):
    """Features and labels."""
    rows = numpy.fromfile(path, dtype="<f8").reshape(-1, width + 1)
    return rows[:, :width].copy(), rows[:, width].astype(int)


def single(predict, rows, calls):
    """Microseconds of calls with one row each: their median, and what one in a hundred exceeds."""
    taken = []
    for call in range(calls + 100):
        row = rows[call % len(rows)][None, :]
        begun = time.perf_counter_ns()
        predict(row)
        taken.append((time.perf_counter_ns() - begun) / 1000)
    return [float(value) for value in numpy.percentile(taken[100:], [50, 99])]


def per_second(predict, rows):
    """Rows a second: the median of some runs, after one that is not counted."""
    predict(rows)
    seconds = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        predict(rows)
        seconds.append(time.perf_counter() - begun)
    return len(rows) / median(seconds)


def measured(predict, features, labels, batch, singles):
    # In double precision, whatever the library answers in.
    probabilities = numpy.clip(predict(features).astype(float), 1e-15, 1 - 1e-15)
    return {
        "single_us": single(predict, features, singles),
        "rows_per_second": per_second(predict, numpy.resize(features, (batch, features.shape[1]))),
        "log_loss": float(log_loss(labels, probabilities)),
    }


def onnx(fitted, features, labels, batch, singles):
    """What ONNX Runtime makes of the fitted model, and the versions of its packages."""
    import onnx.helper
    import onnxruntime
    import skl2onnx

    # The converter writes flags among a node's whole numbers, which Protocol Buffers no longer take.
    make_attribute = onnx.helper.make_attribute
    onnx.helper.make_attribute = lambda key, value, *others, **named: make_attribute(
        key, [int(it) if isinstance(it, bool) else it for it in value] if isinstance(value, list) else value, *others, **named
    )
    features = features.astype(numpy.float32)
    converted = skl2onnx.to_onnx(fitted, features[:1], options={id(fitted): {"zipmap": False}})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        converted.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    given, wanted = session.get_inputs()[0].name, session.get_outputs()[1].name

    def predict(rows):
        return session.run([wanted], {given: rows})[0][:, 1]

    found = measured(predict, features, labels, batch, singles)
    found["largest_difference"] = float(numpy.abs(predict(features) - fitted.predict_proba(features)[:, 1]).max())
    return found, f"onnxruntime {onnxruntime.__version__}, skl2onnx {skl2onnx.__version__}"


def main():
    train_file, test_file = sys.argv[1:3]
    width, batch, singles = (int(argument) for argument in sys.argv[3:6])
    train, train_labels = rows_of(train_file, width)
    test, test_labels = rows_of(test_file, width)
    with threadpool_limits(1):
        fitted = fit_sklearn.model("boosted", 1).fit(train, train_labels)
        found = {
            "sklearn": measured(
                lambda rows: fitted.predict_proba(rows)[:, 1], test, test_labels, batch, min(singles, MOST_SLOW_SINGLES)
            )
        }
        versions = f"scikit-learn {sklearn.__version__}"
        try:
            found["onnx"], others = onnx(fitted, test, test_labels, batch, singles)
            versions = f"{versions}, {others}"
        # A converter that lags behind scikit-learn raises what it likes; the other peer's figures stand without this one.
        except Exception as error:
            reason = (str(error).splitlines() or [""])[0][:200]
            found["onnx"] = {"failure": f"{type(error).__name__}: {reason}"}
    json.dump({"versions": versions, **found}, sys.stdout)


if __name__ == "__main__":
    main()
