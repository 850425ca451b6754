"""scikit-learn on pandas."""

import pandas
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import fitting
from columns import BOOSTED, COLUMNS, FOREST, LABEL, SEED


def model(family, cores):
    if family == "logistic":
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    if family == "forest":
        return RandomForestClassifier(
            n_estimators=FOREST["trees"],
            max_depth=FOREST["depth"],
            max_features=FOREST["columns"],
            n_jobs=cores,
            random_state=SEED,
        )
    return HistGradientBoostingClassifier(
        max_iter=BOOSTED["trees"],
        max_depth=BOOSTED["depth"],
        learning_rate=BOOSTED["learning_rate"],
        max_features=BOOSTED["columns"],
        early_stopping=False,
        random_state=SEED,
    )


def start(options):
    return threadpool_limits(options.cores)


def load(_, options):
    return tuple(pandas.read_parquet(path) for path in (options.train, options.test))


def fit(_, options, train):
    return model(options.family, options.cores).fit(train[COLUMNS].to_numpy(float), train[LABEL].to_numpy())


def predict(_, fitted, test):
    return fitted.predict_proba(test[COLUMNS].to_numpy(float))[:, 1]


def versions():
    return {"scikit-learn": sklearn.__version__, "pandas": pandas.__version__}


if __name__ == "__main__":
    fitting.run(fitting.arguments(), start, load, fit, predict, versions)
