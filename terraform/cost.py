#!/usr/bin/env python3
"""What a month on AWS costs, by the formula of docs/cost.md: `cost.py` writes its table, `cost.py --check` sees that it is so.

Prices are AWS' public ones of us-east-1 in dollars, without discounts; change them here when they change, or for your region.
"""

import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs/cost.md"
HOURS = 730
SECONDS = HOURS * 3600

PRICE = {
    "lambda_gb_second": 0.0000133334, "lambda_million": 0.20, "poller_hour": 0.185,
    "msk_serverless_hour": 0.75, "msk_partition_hour": 0.0015, "msk_in_gb": 0.10, "msk_out_gb": 0.05,
    "kafka.m7g.large": 0.204, "kafka.m7g.2xlarge": 0.816, "msk_disk_gb": 0.10,
    "db.t4g.medium": 0.065, "db.r7g.xlarge": 0.478, "aurora.db.r7g.4xlarge": 2.21, "rds_disk_gb": 0.115, "aurora_disk_gb": 0.10,
    "proxy_vcpu_hour": 0.015, "docdb.t4g.medium": 0.076, "docdb.r6g.large": 0.26, "docdb.r6g.2xlarge": 1.04,
    "endpoint_hour": 0.01, "log_gb": 0.50, "alarm": 0.10, "composite": 0.50, "metric": 0.30, "secret": 0.40, "key": 1.0,
    "s3_gb": 0.023, "waf": 9.0, "dashboard": 3.0,
}

# What the environment is at each size. days: how long events stay in the database before they are only in the archive.
SIZES = {
    1: {"kafka": "serverless", "partitions": 8, "brokers": 0, "disk_gb": 0, "database": "db.t4g.medium", "instances": 1, "proxy_vcpu": 0, "documents": "docdb.t4g.medium", "document_instances": 1, "pollers": 3, "days": 400},
    100: {"kafka": "kafka.m7g.large", "partitions": 20, "brokers": 3, "disk_gb": 100, "database": "db.r7g.xlarge", "instances": 2, "proxy_vcpu": 4, "documents": "docdb.r6g.large", "document_instances": 2, "pollers": 3, "days": 400},
    10_000: {"kafka": "kafka.m7g.2xlarge", "partitions": 60, "brokers": 3, "disk_gb": 2000, "database": "aurora.db.r7g.4xlarge", "instances": 2, "proxy_vcpu": 16, "documents": "docdb.r6g.2xlarge", "document_instances": 2, "pollers": 5, "days": 35},
}

EVENT_BYTES = 220  # a record on a topic
ROW_BYTES = 260  # a stored event with its indexes
ARCHIVE_BYTES = 40  # an event in Parquet
ROWS_A_SECOND = 20_000  # one instance of `rate` with 256 MB


def month(events, it):
    """The month's cost by service, in dollars."""
    records = events * SECONDS
    gigabytes = records * EVENT_BYTES / 1e9
    stored_gb = events * 86_400 * it["days"] * ROW_BYTES / 1e9
    # A partition sends a batch once a second at most; below that, one for each record.
    batches = min(records, it["partitions"] * SECONDS)
    scheduled = SECONDS / 60 * 3
    gb_seconds = 0.25 * (records / ROWS_A_SECOND + batches * 0.015 + scheduled * 0.5) + 4 * 30 * 300
    aurora = it["database"].startswith("aurora")
    if it["kafka"] == "serverless":
        kafka = HOURS * (PRICE["msk_serverless_hour"] + it["partitions"] * PRICE["msk_partition_hour"]) + gigabytes * (PRICE["msk_in_gb"] + PRICE["msk_out_gb"])
    else:
        kafka = it["brokers"] * (HOURS * PRICE[it["kafka"]] + it["disk_gb"] * PRICE["msk_disk_gb"])
    disk = PRICE["aurora_disk_gb"] if aurora else PRICE["rds_disk_gb"] * it["instances"]
    return {
        "Kafka (MSK)": kafka,
        "pollers of the mappings": it["pollers"] * HOURS * PRICE["poller_hour"],
        "functions (Lambda)": gb_seconds * PRICE["lambda_gb_second"] + (batches + scheduled) / 1e6 * PRICE["lambda_million"],
        "database": it["instances"] * HOURS * PRICE[it["database"]] + max(50, stored_gb) * disk + it["proxy_vcpu"] * HOURS * PRICE["proxy_vcpu_hour"],
        "documents": it["document_instances"] * HOURS * PRICE[it["documents"]],
        "endpoints of the network": 7 * 3 * HOURS * PRICE["endpoint_hour"],
        "archive and models (S3), a year of it": events * 86_400 * 365 * ARCHIVE_BYTES / 1e9 * PRICE["s3_gb"],
        "logs, metrics, alarms": (batches * 700 + records * 0.2) / 1e9 * PRICE["log_gb"] + 110 * PRICE["alarm"] + 20 * PRICE["composite"] + 80 * PRICE["metric"] + PRICE["dashboard"],
        "secrets, keys, WAF": 6 * PRICE["secret"] + 2 * PRICE["key"] + PRICE["waf"],
    }


def table():
    months = {events: month(events, it) for events, it in SIZES.items()}
    lines = ["| a month, in dollars | " + " | ".join(f"{events:,} events/s" for events in months) + " |", "| --- | " + " | ".join("---:" for _ in months) + " |"]
    for service in next(iter(months.values())):
        lines.append(f"| {service} | " + " | ".join(f"{cost[service]:,.0f}" for cost in months.values()) + " |")
    totals = {events: sum(cost.values()) for events, cost in months.items()}
    lines.append("| **all** | " + " | ".join(f"**{total:,.0f}**" for total in totals.values()) + " |")
    lines.append("| a million events | " + " | ".join(f"{total / (events * SECONDS / 1e6):,.2f}" for events, total in totals.items()) + " |")
    return "\n".join(lines)


def main():
    begin, end = "<!-- table: terraform/cost.py -->\n", "\n<!-- end of table -->"
    text = PAGE.read_text()
    head, rest = text.split(begin)
    new = head + begin + table() + end + rest.split(end)[1]
    if sys.argv[1:] == ["--check"]:
        if new != text:
            print("docs/cost.md is not what the formula says: run terraform/cost.py")
            return 1
        print("cost: the table is what the formula says")
        return 0
    PAGE.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
