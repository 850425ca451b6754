"""The archive that the function `archive` writes: days that are whole, their rows held against their manifests."""

import json
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

FORMAT = 1


class Damaged(Exception):
    """The archive does not hold what its manifests say."""


def session(name):
    """A session whose times are UTC, as all times of the archive are."""
    spark = (
        SparkSession.builder.appName(name)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.parquet.inferTimestampNTZ.enabled", "false")
        .getOrCreate()
    )
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def read_text(spark, path):
    """A file's text, from wherever Hadoop's file systems reach."""
    hadoop = spark._jvm.org.apache.hadoop.fs.Path(path)
    stream = hadoop.getFileSystem(spark._jsc.hadoopConfiguration()).open(hadoop)
    try:
        return spark._jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8")
    finally:
        stream.close()


def write_text(spark, path, text):
    """Writes a file that is not there yet."""
    hadoop = spark._jvm.org.apache.hadoop.fs.Path(path)
    stream = hadoop.getFileSystem(spark._jsc.hadoopConfiguration()).create(hadoop, False)
    try:
        stream.write(bytearray(text.encode()))
    finally:
        stream.close()


def manifests(spark, root, dataset):
    """The manifests of a data set, by day. A day without one is not whole, and is not read."""
    pattern = spark._jvm.org.apache.hadoop.fs.Path(f"{root}/{dataset}/stored=*/_manifest.json")
    found = pattern.getFileSystem(spark._jsc.hadoopConfiguration()).globStatus(pattern)
    manifests = []
    for status in found or []:
        path = status.getPath().toString()
        manifest = json.loads(read_text(spark, path))
        if manifest["format"] != FORMAT:
            raise Damaged(f"{path}: this job reads format {FORMAT}, not {manifest['format']}")
        manifest["folder"] = path.rsplit("/", 1)[0]
        manifests.append(manifest)
    return sorted(manifests, key=lambda manifest: manifest["stored"])


def read(spark, root, dataset, checksums=False):
    """The rows of every day that is whole, with their day as `stored` and their file as `part`; None when there is no row.

    Rows are counted by file; with `checksums` the files' SHA-256 are computed as well, which reads them once more.
    """
    parts = {}
    for manifest in manifests(spark, root, dataset):
        for part in manifest["parts"]:
            parts[f"stored={manifest['stored']}/{part['file']}"] = (f"{manifest['folder']}/{part['file']}", part)
    if not parts:
        return None
    paths = [path for path, _ in parts.values()]
    name = F.regexp_extract(F.input_file_name(), r"(stored=[0-9-]+/part-[0-9]+\.parquet)$", 1)
    rows = spark.read.option("basePath", f"{root}/{dataset}").parquet(*paths).withColumn("part", name)
    counted = {row["part"]: row["count"] for row in rows.groupBy("part").count().collect()}
    for part, (_, expected) in parts.items():
        if counted.get(part, 0) != expected["rows"]:
            raise Damaged(f"{dataset}/{part} has {counted.get(part, 0)} rows and its manifest says {expected['rows']}")
    if checksums:
        check_sums(spark, dataset, parts)
    applied = [(part, expected["adjustments_seq"]) for part, (_, expected) in parts.items()]
    applied = spark.createDataFrame(applied, "part string, adjustments_seq long")
    return rows.join(F.broadcast(applied), "part")


def check_sums(spark, dataset, parts):
    files = spark.read.format("binaryFile").load([path for path, _ in parts.values()])
    name = F.regexp_extract("path", r"(stored=[0-9-]+/part-[0-9]+\.parquet)$", 1)
    for row in files.select(name.alias("part"), F.sha2("content", 256).alias("sha256")).collect():
        if row["sha256"] != parts[row["part"]][1]["sha256"]:
            raise Damaged(f"{dataset}/{row['part']} is not what was written: its SHA-256 differs")


def events(spark, root, checksums=False):
    """Usage events with the charges that they have now: what re-rating changed after they were archived is applied to them."""
    events = read(spark, root, "usage-events", checksums)
    adjustments = read(spark, root, "adjustments", checksums)
    if events is None or adjustments is None:
        return events
    # The run 0 is of credit notes: they bill differences or take them back, and no event's charge becomes another one.
    adjustments = adjustments.where(F.col("run_id") != 0)
    last = F.max_by(
        F.struct(F.col("new_account_id"), F.col("new_bill_cycle"), F.col("new_amount"), F.col("seq")), F.col("seq")
    )
    changed = adjustments.groupBy("started_at", "event_id").agg(last.alias("last"))
    joined = events.join(changed, ["started_at", "event_id"], "left")
    newer = F.col("last.seq") > F.col("adjustments_seq")
    for column in ["account_id", "bill_cycle", "amount"]:
        joined = joined.withColumn(column, F.when(newer, F.col(f"last.new_{column}")).otherwise(F.col(column)))
    return joined.drop("last")


def fail(error):
    """Ends the job with the reason."""
    print(f"error: {error}", file=sys.stderr)
    sys.exit(1)
