"""A peer of `rate` in scripts/bench: a Kafka consumer as a careful Python team writes one.

Usage: consumer.py BROKERS TOPIC RECORDS MYSQL_PORT TABLE, password of root in MYSQL_PWD.

Reads every partition from its beginning, decodes, inserts by executemany of 1,000 rows, commits the transaction and then the
offsets. Prints its figures as JSON; they leave out the start of the interpreter.
"""

import json
import os
import resource
import sys
import time
import uuid
from datetime import datetime, timedelta

import pymysql
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

BATCH = 1_000
SERVICES = {"voice": 1, "sms": 2, "data": 3}
COLUMNS = (
    "started_at, event_id, day, service, subscriber, destination, usage_amount, cell, roaming, zone, rating_error"
)


def row(value):
    """One record's value as a row."""
    event = json.loads(value)
    started_at = datetime.fromisoformat(event["started_at"].replace("Z", "+00:00"))
    utc = (started_at - (started_at.utcoffset() or timedelta())).replace(tzinfo=None)
    return (
        utc,
        uuid.UUID(event["event_id"]).bytes,
        utc.date(),
        SERVICES[event["service"]],
        event["subscriber"],
        event.get("destination", ""),
        int(event["usage"]),
        event.get("cell", ""),
        bool(event.get("roaming", False)),
        "",
        "",
    )


def main():
    brokers, topic, records, port, table = sys.argv[1:]
    records = int(records)
    database = pymysql.connect(
        host="127.0.0.1", port=int(port), user="root", password=os.environ["MYSQL_PWD"], database="millrace", autocommit=False
    )
    placeholders = ", ".join(["%s"] * len(COLUMNS.split(", ")))
    insert = f"INSERT INTO {table} ({COLUMNS}) VALUES ({placeholders})"
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": f"peer-{os.getpid()}", "enable.auto.commit": False})

    begun, cpu_before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    partitions = consumer.list_topics(topic).topics[topic].partitions
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
    done = 0
    while done < records:
        messages = consumer.consume(min(BATCH, records - done), timeout=1.0)
        for message in messages:
            if message.error():
                raise SystemExit(str(message.error()))
        if not messages:
            continue
        with database.cursor() as cursor:
            cursor.executemany(insert, [row(message.value()) for message in messages])
        database.commit()
        consumer.commit(asynchronous=True)
        done += len(messages)
    seconds, cpu = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_SELF)
    consumer.close()
    json.dump(
        {
            "seconds": seconds,
            "cpu_seconds": cpu.ru_utime + cpu.ru_stime - cpu_before.ru_utime - cpu_before.ru_stime,
            "peak_memory": cpu.ru_maxrss * 1024,
        },
        sys.stdout,
    )


main()
