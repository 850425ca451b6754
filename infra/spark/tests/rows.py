"""Prints the rows of a folder of Parquet as JSON, one a line: money as the text of a decimal, times in milliseconds.

    rows.py FOLDER
"""

import datetime
import decimal
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import archive  # noqa: E402


def plain(value):
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, datetime.datetime):
        # The session's zone is UTC, Python's may be another: PySpark gives local times.
        return round(value.timestamp() * 1000)
    return value


def main():
    spark = archive.session("rows")
    for row in spark.read.parquet(sys.argv[1]).toLocalIterator():
        print(json.dumps({name: plain(value) for name, value in row.asDict().items() if value is not None}))
    spark.stop()


if __name__ == "__main__":
    main()
