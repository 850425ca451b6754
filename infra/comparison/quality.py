"""How good probabilities are, with intervals from a thousand resamples of the test rows."""

import numpy
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, log_loss, roc_auc_score

from columns import SEED

MEASURES = {
    "accuracy": lambda labels, p: accuracy_score(labels, p >= 0.5),
    "F1": lambda labels, p: f1_score(labels, p >= 0.5),
    "ROC AUC": roc_auc_score,
    "PR AUC": average_precision_score,
    "log loss": lambda labels, p: log_loss(labels, numpy.clip(p, 1e-15, 1 - 1e-15)),
}


def measure(labels, probabilities, resamples=1000):
    """Each measure with the bounds of its 95 % interval."""
    random = numpy.random.default_rng(SEED)
    labels = numpy.asarray(labels)
    draws = []
    for _ in range(resamples):
        draw = random.integers(0, len(labels), len(labels))
        if 0 < labels[draw].sum() < len(labels):
            draws.append(draw)
    found = {}
    for name, of in MEASURES.items():
        values = [of(labels[draw], probabilities[draw]) for draw in draws]
        low, high = numpy.quantile(values, [0.025, 0.975])
        found[name] = (float(of(labels, probabilities)), float(low), float(high))
    return found
