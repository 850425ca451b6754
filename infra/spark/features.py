"""What a churn model may read of a customer: the columns that crates/churn-model names, made from the archive."""

from pyspark.sql import functions as F

PERIODS = ["day", "eve", "night", "intl"]

SNAPSHOT = [
    "account_length",
    "area_code",
    "international_plan",
    "voice_mail_plan",
    "number_vmail_messages",
    *[f"total_{period}_{what}" for period in PERIODS for what in ["minutes", "calls", "charge"]],
    "customer_service_calls",
]
SUMS = ["total_minutes", "total_calls", "total_charge"]
PLATFORM = [f"platform_{period}_{what}" for period in PERIODS for what in ["minutes", "calls", "charge"]]

# One digit for 1 and 7, two for these beginnings, three for all others (ITU-T E.164).
COUNTRY = r"^(1|7|20|27|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{1,3})"


def snapshots(customers):
    """A row for each observation, with every column of the snapshot as a number but `state`, and the label as 0, 1 or null."""
    numbers = [F.col(name).cast("double").alias(name) for name in SNAPSHOT]
    label = F.col("churn").cast("double").alias("label")
    rows = customers.select("customer_id", "observed_at", "state", *numbers, label)
    for what in ["minutes", "calls", "charge"]:
        rows = rows.withColumn(f"total_{what}", sum(F.col(f"total_{period}_{what}") for period in PERIODS))
    return rows


def usage(events, timezone):
    """Calls of each customer's accounts by the billing cycle that carries them, by the part of the operator's day in which they
    began; `ended_at` is the cycle's end. What `cache` keeps of the same events as customer_usage."""
    calls = events.where("service = 'voice' and amount is not null and bill_cycle is not null")
    hour = F.hour(F.from_utc_timestamp("started_at", timezone))
    period = (
        F.when(F.col("roaming") | leaves_country(), "intl")
        .when(hour.between(8, 16), "day")
        .when(hour.between(17, 22), "eve")
        .otherwise("night")
    )
    calls = calls.withColumn("period", period)
    sums = []
    for name in PERIODS:
        of_period = F.col("period") == name
        sums += [
            (F.sum(F.when(of_period, F.col("usage")).otherwise(0)) / 60.0).alias(f"platform_{name}_minutes"),
            F.count(F.when(of_period, 1)).cast("double").alias(f"platform_{name}_calls"),
            F.sum(F.when(of_period, F.col("amount")).otherwise(0)).cast("double").alias(f"platform_{name}_charge"),
        ]
    cycle = calls.groupBy("customer_id", "account_id", "bill_cycle", "cycle_day").agg(*sums)
    first = F.to_date(F.concat_ws("-", "bill_cycle", F.lpad(F.col("cycle_day").cast("string"), 2, "0")))
    ended_at = F.to_utc_timestamp(F.add_months(first, 1).cast("timestamp"), timezone)
    return cycle.withColumn("ended_at", ended_at)


def leaves_country():
    destination = F.coalesce("destination", F.lit(""))
    digits = F.regexp_replace(destination, r"^\+", "")
    number = F.regexp_replace(digits, "^00", "")
    in_full = (
        destination.startswith("+")
        | (F.length(number) < F.length(digits))
        | ((F.length(digits) >= 7) & ~digits.startswith("0"))
    )
    other = F.regexp_extract(number, COUNTRY, 1) != F.regexp_extract("subscriber", COUNTRY, 1)
    return in_full & other


def with_usage(rows, usage):
    """Adds the platform's own measurement: the usage of all the customer's accounts, of each in its last billing cycle that had
    ended when the customer was observed, within 62 days. It is null where there is none."""
    before = rows.select("customer_id", "observed_at").join(usage, "customer_id")
    before = before.where("ended_at <= observed_at and observed_at < ended_at + interval 62 days")
    last = before.groupBy("customer_id", "observed_at", "account_id").agg(
        F.max_by(F.struct(*PLATFORM), "ended_at").alias("last")
    )
    # In the order of the accounts, on which a sum depends in its last digit.
    accounts = last.groupBy("customer_id", "observed_at").agg(
        F.sort_array(F.collect_list(F.struct("account_id", "last"))).alias("accounts")
    )
    together = [total(name).alias(name) for name in PLATFORM]
    return rows.join(accounts.select("customer_id", "observed_at", *together), ["customer_id", "observed_at"], "left")


def total(name):
    """A column of all accounts together."""
    return F.aggregate("accounts", F.lit(0.0), lambda so_far, account: so_far + account.getField("last").getField(name))
