"""Trains churn models on a cluster, for when the labelled customers outgrow the function `train`.

    train_churn.py --archive s3://BUCKET/archive --output s3://BUCKET/churn --timezone Africa/Casablanca

Reads customers' snapshots, and their calls from usage events, from the archive, and writes the training features as Parquet
(`features/`). Fits gradient-boosted trees and a random forest by MLlib on four customers out of five, chooses between them by log
loss in cross-validation, measures both on the customers put aside, which no model saw, and writes the chosen one (`model/`) and
what was measured (`metrics.json`), which is also printed.
"""

import argparse
import json

from pyspark import StorageLevel
from pyspark.ml import Pipeline
from pyspark.ml.classification import GBTClassifier, RandomForestClassifier
from pyspark.ml.evaluation import BinaryClassificationEvaluator, MulticlassClassificationEvaluator
from pyspark.ml.feature import StringIndexer, VectorAssembler
from pyspark.ml.functions import vector_to_array
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
from pyspark.sql import functions as F

import archive
import features

# A category of each state, and one for those that were not seen in training.
MOST_STATES = 128
EMPTY = -1.0


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", required=True, help="the folder that holds customers/ and usage-events/")
    parser.add_argument("--output", required=True, help="a folder that is not there yet")
    parser.add_argument("--timezone", required=True, help="the operator's time zone, as Africa/Casablanca")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--checksums", action="store_true", help="compute the files' SHA-256 first")
    return parser.parse_args()


def training_rows(spark, chosen):
    """A row for each labelled observation."""
    customers = archive.read(spark, chosen.archive, "customers", chosen.checksums)
    if customers is None:
        raise archive.Damaged(f"{chosen.archive} has no customer")
    rows = features.snapshots(customers.where("churn is not null"))
    events = archive.events(spark, chosen.archive, chosen.checksums)
    if events is not None:
        return features.with_usage(rows, features.usage(events, chosen.timezone))
    for name in features.PLATFORM:
        rows = rows.withColumn(name, F.lit(None).cast("double"))
    return rows


def put_aside():
    """One customer in five by a hash of the id: always the same ones, with all of their observations."""
    return F.conv(F.substring(F.sha2("customer_id", 256), 1, 8), 16, 10).cast("long") % 5 == 0


def candidates(chosen):
    numbers = features.SNAPSHOT + features.SUMS + features.PLATFORM
    prepare = [
        StringIndexer(inputCol="state", outputCol="state_index", handleInvalid="keep"),
        VectorAssembler(inputCols=[*numbers, "state_index"], outputCol="features"),
    ]
    settings = {"labelCol": "label", "featuresCol": "features", "seed": chosen.seed, "maxBins": MOST_STATES}
    return {
        "gradient-boosted trees": Pipeline(
            stages=[*prepare, GBTClassifier(maxIter=chosen.trees, maxDepth=4, stepSize=0.1, **settings)]
        ),
        "random forest": Pipeline(
            stages=[*prepare, RandomForestClassifier(numTrees=chosen.trees, maxDepth=12, **settings)]
        ),
    }


def measure(scored):
    probability = vector_to_array("probability")[1]
    clipped = F.least(F.greatest(probability, F.lit(1e-15)), F.lit(1 - 1e-15))
    loss = -F.avg(F.when(F.col("label") == 1, F.log(clipped)).otherwise(F.log(1 - clipped)))
    binary = BinaryClassificationEvaluator(labelCol="label")
    classes = MulticlassClassificationEvaluator(labelCol="label", metricLabel=1.0)
    return {
        "accuracy": classes.evaluate(scored, {classes.metricName: "accuracy"}),
        "f1": classes.evaluate(scored, {classes.metricName: "fMeasureByLabel"}),
        "roc_auc": binary.evaluate(scored, {binary.metricName: "areaUnderROC"}),
        "pr_auc": binary.evaluate(scored, {binary.metricName: "areaUnderPR"}),
        "log_loss": scored.select(loss).first()[0],
    }


def train(spark, chosen):
    # Sorted, so that the same archive gives the same folds and models.
    rows = training_rows(spark, chosen).orderBy("customer_id", "observed_at").coalesce(1)
    rows.write.option("compression", "zstd").parquet(f"{chosen.output}/features")
    rows = spark.read.parquet(f"{chosen.output}/features").fillna(EMPTY, features.PLATFORM)
    kept = rows.where(~put_aside()).persist(StorageLevel.MEMORY_AND_DISK)
    aside = rows.where(put_aside()).persist(StorageLevel.MEMORY_AND_DISK)
    counted = {"train": kept.count(), "test": aside.count()}
    if not counted["train"] or not counted["test"]:
        raise archive.Damaged(f"too few labelled customers to train and to measure: {counted}")
    loss = MulticlassClassificationEvaluator(labelCol="label", metricName="logLoss")
    measured, fitted = [], {}
    for name, pipeline in candidates(chosen).items():
        folds = CrossValidator(
            estimator=pipeline,
            estimatorParamMaps=ParamGridBuilder().build(),
            evaluator=loss,
            numFolds=chosen.folds,
            seed=chosen.seed,
        ).fit(kept)
        fitted[name] = folds.bestModel
        measured.append(
            {"name": name, "cv_log_loss": folds.avgMetrics[0], **measure(folds.bestModel.transform(aside))}
        )
    best = min(measured, key=lambda candidate: candidate["cv_log_loss"])["name"]
    fitted[best].write().save(f"{chosen.output}/model")
    return {"chosen": best, "rows": counted, "seed": chosen.seed, "candidates": measured}


def main():
    chosen = options()
    spark = archive.session("train churn")
    try:
        metrics = train(spark, chosen)
    except archive.Damaged as error:
        archive.fail(error)
    text = json.dumps(metrics, indent=2)
    archive.write_text(spark, f"{chosen.output}/metrics.json", text + "\n")
    print(text)
    spark.stop()


if __name__ == "__main__":
    main()
