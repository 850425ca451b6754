"""Dask-ML on a local cluster of one process, with a thread for each core.

Dask-ML has no forest and no boosted trees of its own: its answer to them is scikit-learn's estimator, fitted on one worker and
predicting in parallel (ParallelPostFit). Its logistic regression is its own (dask-glm).
"""

import dask
import dask.dataframe
import dask_ml
from dask_ml.linear_model import LogisticRegression
from dask_ml.preprocessing import StandardScaler
from dask_ml.wrappers import ParallelPostFit
from distributed import Client, LocalCluster

import fit_sklearn
import fitting
from columns import COLUMNS, LABEL


def start(options):
    cluster = LocalCluster(
        n_workers=1, threads_per_worker=options.cores, processes=False, dashboard_address=None, memory_limit=0
    )
    return Client(cluster)


def load(_, options):
    # A file is one partition: its rows are spread, or one core would have them all.
    frames = [
        dask.dataframe.read_parquet(path).repartition(npartitions=options.cores)
        for path in (options.train, options.test)
    ]
    return tuple(
        (
            frame[COLUMNS].astype(float).to_dask_array(lengths=True).persist(),
            frame[LABEL].astype(int).to_dask_array(lengths=True).persist(),
        )
        for frame in frames
    )


def fit(_, options, train):
    features, labels = train
    if options.family == "logistic":
        scaler = StandardScaler().fit(features)
        fitted = LogisticRegression(solver="lbfgs", max_iter=200).fit(scaler.transform(features), labels)
        return lambda rows: fitted.predict_proba(scaler.transform(rows))
    estimator = fit_sklearn.model(options.family, options.cores)
    # One worker holds all rows for the fit.
    fitted = ParallelPostFit(estimator).fit(features.compute(), labels.compute())
    return lambda rows: fitted.predict_proba(rows)


def predict(_, fitted, test):
    probabilities = dask.compute(fitted(test[0]))[0]
    return probabilities[:, 1] if probabilities.ndim == 2 else probabilities


def versions():
    return {"dask-ml": dask_ml.__version__, "dask": dask.__version__}


if __name__ == "__main__":
    fitting.run(fitting.arguments(), start, load, fit, predict, versions)
