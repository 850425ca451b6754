"""Keeps what was measured in the cache, one JSON object a line: a later run repeats nothing that is there, and the page is written
from all of it."""

import hashlib
import json
from pathlib import Path

import pandas

HERE = Path(__file__).parent
# What decides what a worker measures, beside its library's own file.
SHARED = ["columns.py", "fitting.py", "measure.py", "requirements.txt"]
SOURCES = {
    "sklearn": ["fit_sklearn.py"],
    "dask": ["fit_dask.py", "fit_sklearn.py"],
    "spark": ["fit_spark.py"],
}


def digest(*parts):
    found = hashlib.sha256()
    for part in parts:
        found.update(hashlib.sha256(part).digest())
    return found.hexdigest()[:16]


def of_rows(machine, *frames):
    """What tells these rows on this machine from any others."""
    return digest(machine.encode(), *(pandas.util.hash_pandas_object(frame).to_numpy().tobytes() for frame in frames))


def of_code(library, bench):
    """What tells this library's worker from one of other code or packages."""
    if library == "millrace":
        return digest(Path(bench).read_bytes())
    return digest(*((HERE / name).read_bytes() for name in [*SHARED, *SOURCES[library]]))


class Kept:
    def __init__(self, folder):
        self.path = Path(folder) / "runs.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.records = []
        if self.path.exists():
            for number, line in enumerate(self.path.read_text().splitlines(), 1):
                try:
                    self.records.append(json.loads(line))
                except json.JSONDecodeError:
                    # A run that was killed while it wrote leaves a piece of a line.
                    print(f"{self.path}, line {number}: no JSON, left out")

    def rows_file(self, data, name):
        return self.path.with_name(f"{data}-{name}.parquet")

    def add(self, record):
        self.records.append(record)
        with self.path.open("a") as file:
            file.write(json.dumps(record) + "\n")

    def forget(self, is_meant):
        """Takes records out for good."""
        self.records = [record for record in self.records if not is_meant(record)]
        whole = self.path.with_suffix(".new")
        whole.write_text("".join(json.dumps(record) + "\n" for record in self.records))
        whole.replace(self.path)

    def data(self):
        """The rows that were read last."""
        for record in reversed(self.records):
            if record["kind"] == "data":
                return record
        raise SystemExit(f"error: {self.path} holds no rows: run scripts/compare without --report first")

    def runs(self, data, library, code=None):
        """What was measured of a library on these rows: by one state of its code, or each part by the state that was measured last."""
        found = [
            record
            for record in self.records
            if record["kind"] == "run" and record["data"] == data and record["library"] == library
        ]
        latest = {part(record): record["code"] for record in found}
        return [record for record in found if record["code"] == (code or latest[part(record)])]


def part(record):
    return record["family"], record["rows"], record["cores"]
