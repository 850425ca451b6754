"""Spark MLlib, in one JVM with a thread for each core."""

import os
import subprocess
import sys

import pyspark
from pyspark.ml import Pipeline
from pyspark.ml.classification import GBTClassifier, LogisticRegression, RandomForestClassifier
from pyspark.ml.feature import StandardScaler, VectorAssembler
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import fitting
from columns import BOOSTED, COLUMNS, FOREST, LABEL, SEED


def stages(family):
    assembler = VectorAssembler(inputCols=COLUMNS, outputCol="raw")
    scaler = StandardScaler(inputCol="raw", outputCol="scaled", withMean=True)
    if family == "logistic":
        return [assembler, scaler, LogisticRegression(featuresCol="scaled", labelCol=LABEL, maxIter=200)]
    if family == "forest":
        return [
            assembler,
            RandomForestClassifier(
                featuresCol="raw",
                labelCol=LABEL,
                numTrees=FOREST["trees"],
                maxDepth=FOREST["depth"],
                featureSubsetStrategy=str(FOREST["columns"]),
                seed=SEED,
            ),
        ]
    return [
        assembler,
        GBTClassifier(
            featuresCol="raw",
            labelCol=LABEL,
            maxIter=BOOSTED["trees"],
            maxDepth=BOOSTED["depth"],
            stepSize=BOOSTED["learning_rate"],
            featureSubsetStrategy=str(BOOSTED["columns"]),
            seed=SEED,
        ),
    ]


def start(options):
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    session = (
        SparkSession.builder.master(f"local[{options.cores}]")
        .appName("comparison")
        .config("spark.driver.memory", "6g")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", options.cores)
        # So many trees make a plan so deep that the default stack overflows.
        .config("spark.driver.extraJavaOptions", "-Xss64m")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    session.sparkContext.setCheckpointDir(os.path.dirname(os.path.abspath(options.predictions)))
    return session


def load(session, options):
    columns = [F.col(name).cast("double") for name in COLUMNS] + [F.col(LABEL).cast("double")]
    # A file has one group of rows, which one core would read and keep: those to learn from are spread. Those to predict stay as they
    # are, for predictions are told in the order of their rows.
    train = session.read.parquet(options.train).select(*columns).repartition(options.cores).cache()
    test = session.read.parquet(options.test).select(*columns).coalesce(1).cache()
    train.count()
    test.count()
    return train, test


def fit(_, options, train):
    return Pipeline(stages=stages(options.family)).fit(train)


def predict(_, fitted, test):
    rows = fitted.transform(test).select("probability").collect()
    return [row.probability[1] for row in rows]


def versions():
    java = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr.splitlines()
    return {"pyspark": pyspark.__version__, "java": java[0] if java else "unknown"}


if __name__ == "__main__":
    fitting.run(fitting.arguments(), start, load, fit, predict, versions)
