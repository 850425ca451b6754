"""Bulk re-rating: prices archived events again on a cluster, by piping them through `millrace rate`.

    rerate.py --archive s3://BUCKET/archive --output s3://BUCKET/rerated --tariff tariff.json [--millrace ./millrace]

Each executor runs the same program that prices on one machine, so that the cluster gives the same charges. All events of a number
go through one pipe in the order in which they were stored, which is how allowances are spent; accounts whose cycles begin on
different days go through pipes of their own. Events without an account, or without a tariff, keep what they have and are counted as
left. The charges are written as Parquet by cycle (`charges/`), and a summary beside them, which is also printed.
"""

import argparse
import json
import os
import shlex

from pyspark import StorageLevel
from pyspark.sql import functions as F

import archive

# What a line of the pipe is made of: a record of the topic usage-events, and what is to be known again of its answer. `millrace rate`
# passes over fields that it does not know.
RECORD = ["event_id", "service", "subscriber", "destination", "started_at", "usage", "cell", "roaming"]
KEPT = "seq long, account_id string, cycle string, stored_amount string, stored_error string"
EVENT = "event_id string, service string, subscriber string, started_at timestamp, " + KEPT
ANSWER = "amount string, currency string, connect_fee string, allowance_used long, zone string, error string, detail string"


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", required=True, help="the folder that holds usage-events/ and adjustments/")
    parser.add_argument("--output", required=True, help="a folder that is not there yet")
    parser.add_argument("--tariff", metavar="FILE", help="prices every event but those of --tariff-of; each executor must have it")
    parser.add_argument(
        "--tariff-of",
        metavar="N=FILE",
        action="append",
        default=[],
        help="prices the events that tariff version N priced (column tariff_no); may be repeated",
    )
    parser.add_argument("--cycles", metavar="YYYY-MM:YYYY-MM", help="the first and the last cycle; all when not given")
    parser.add_argument("--millrace", default="millrace", help="the command, as the executors find it")
    parser.add_argument("--partitions", type=int, help="pipes at a time for each cycle day; Spark's shuffle setting")
    parser.add_argument("--checksums", action="store_true", help="compute the files' SHA-256 first")
    chosen = parser.parse_args()
    chosen.tariffs = {}
    for text in chosen.tariff_of:
        number, found, file = text.partition("=")
        if not found or not number.isdigit():
            parser.error(f"--tariff-of: expected N=FILE, not {text}")
        chosen.tariffs[int(number)] = file
    if not chosen.tariff and not chosen.tariffs:
        parser.error("--tariff or --tariff-of is needed")
    return chosen


def with_terms(events, chosen, timezones):
    """Adds to each event the tariff file that prices it and the cycle that it began in, by that tariff's clock."""
    file, zone = F.lit(chosen.tariff), F.lit(timezones.get(chosen.tariff))
    for number, of_number in chosen.tariffs.items():
        priced = F.col("tariff_no") == number
        file = F.when(priced, F.lit(of_number)).otherwise(file)
        zone = F.when(priced, F.lit(timezones[of_number])).otherwise(zone)
    day = F.to_date(F.from_utc_timestamp("started_at", zone))
    first = F.when(F.dayofmonth(day) >= F.col("cycle_day"), day).otherwise(F.add_months(day, -1))
    events = events.withColumn("file", F.when(F.col("account_id").isNotNull() & F.col("cycle_day").isNotNull(), file))
    return events.withColumn("cycle", F.date_format(first, "yyyy-MM"))


def without_mixed(events):
    """Numbers whose tariff changes within a cycle: no pipe has both of their tariffs, and so none knows their allowance."""
    numbers = events.groupBy("subscriber", "cycle").agg(F.count_distinct("file").alias("files"))
    mixed = numbers.where("files > 1").select("subscriber", "cycle")
    return events.join(mixed, ["subscriber", "cycle"], "left_anti")


def price(events, command, partitions):
    """Lines with their answers."""
    spread = events.repartition(partitions, "subscriber").sortWithinPartitions("seq")
    line = F.to_json(F.struct("*"), {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"})
    lines = spread.select(line).rdd.map(lambda row: row[0]).persist(StorageLevel.DISK_ONLY)
    answers = lines.pipe(command, env={"PATH": os.environ.get("PATH", "")}, checkCode=True)
    return lines.zip(answers)


def main():
    chosen = options()
    spark = archive.session("rerate")
    try:
        summary = rerate(spark, chosen)
    except archive.Damaged as error:
        archive.fail(error)
    text = json.dumps(summary, indent=2)
    archive.write_text(spark, f"{chosen.output}/summary.json", text + "\n")
    print(text)
    spark.stop()


def rerate(spark, chosen):
    files = sorted({file for file in [chosen.tariff, *chosen.tariffs.values()] if file})
    timezones = {}
    for file in files:
        with open(file, encoding="utf-8") as tariff:
            timezones[file] = json.load(tariff)["timezone"]
    events = archive.events(spark, chosen.archive, chosen.checksums)
    if events is None:
        raise archive.Damaged(f"{chosen.archive} has no usage event")
    events = with_terms(events, chosen, timezones)
    if chosen.cycles:
        first, _, last = chosen.cycles.partition(":")
        # An event without an account has no cycle.
        events = events.where(F.col("cycle").isNull() | F.col("cycle").between(first, last or first))
    events = events.persist(StorageLevel.DISK_ONLY)
    total = events.count()
    priced = without_mixed(events.where("file is not null"))
    text = priced.select(
        *RECORD,
        "seq",
        "account_id",
        "cycle",
        F.col("amount").cast("string").alias("stored_amount"),
        F.col("rating_error").alias("stored_error"),
        "cycle_day",
        "file",
    ).persist(StorageLevel.DISK_ONLY)
    partitions = chosen.partitions or int(spark.conf.get("spark.sql.shuffle.partitions"))
    groups = [tuple(row) for row in text.select("cycle_day", "file").distinct().orderBy("cycle_day", "file").collect()]
    pairs = []
    for cycle_day, file in groups:
        of_group = text.where((F.col("cycle_day") == cycle_day) & (F.col("file") == file)).drop("cycle_day", "file")
        arguments = ["rate", "--tariff", file, "--cycle-day", str(cycle_day)]
        command = shlex.join(shlex.split(chosen.millrace) + arguments)
        pairs.append(price(of_group, command, partitions))
    answered = spark.createDataFrame(spark.sparkContext.union(pairs), "line string, answer string") if pairs else None
    if answered is None:
        return {"events": total, "priced": 0, "unrated": 0, "changed": 0, "difference": "0.0000", "left": total}
    write(answered, chosen.output)
    return summarise(spark.read.parquet(f"{chosen.output}/charges"), total)


def write(answered, output):
    event, answer = F.from_json("line", EVENT), F.from_json("answer", ANSWER)
    rows = answered.select(event.alias("event"), answer.alias("answer"))
    money = lambda column: F.col(column).cast("decimal(18,4)")  # noqa: E731
    rows.select(
        "event.event_id",
        "event.started_at",
        "event.seq",
        "event.service",
        "event.subscriber",
        "event.account_id",
        "event.cycle",
        money("answer.amount").alias("amount"),
        "answer.currency",
        money("answer.connect_fee").alias("connect_fee"),
        "answer.allowance_used",
        "answer.zone",
        F.col("answer.error").alias("rating_error"),
        money("event.stored_amount").alias("stored_amount"),
        F.col("event.stored_error").alias("stored_rating_error"),
    ).write.partitionBy("cycle").option("compression", "zstd").parquet(f"{output}/charges")


def summarise(charges, total):
    was, now = F.coalesce("stored_amount", F.lit(0)), F.coalesce("amount", F.lit(0))
    row = charges.agg(
        F.count("*").alias("priced"),
        F.count(F.when(F.col("amount").isNull(), 1)).alias("unrated"),
        F.count(F.when(~F.col("amount").eqNullSafe(F.col("stored_amount")), 1)).alias("changed"),
        F.sum(now - was).alias("difference"),
    ).first()
    return {
        "events": total,
        "priced": row["priced"],
        "unrated": row["unrated"],
        "changed": row["changed"],
        "difference": f"{row['difference'] or 0:.4f}",
        "left": total - row["priced"],
    }


if __name__ == "__main__":
    main()
