"""Runs one worker as a process of its own and says what it needed."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy
import psutil

HERE = Path(__file__).parent
LIBRARIES = ["millrace", "sklearn", "dask", "spark"]
TITLES = {
    "millrace": "Millrace",
    "sklearn": "scikit-learn",
    "dask": "Dask-ML",
    "spark": "Spark MLlib",
}


@dataclass
class Run:
    """What a worker printed, beside what was seen of it from outside."""

    library: str
    family: str
    rows: int
    cores: int
    wall_seconds: float
    peak_mb: float
    start_seconds: float = 0.0
    load_seconds: float = 0.0
    fit_seconds: tuple = ()
    predict_seconds: float = 0.0
    versions: dict = None
    probabilities: object = None
    failure: str = None

    @property
    def cold(self):
        return self.start_seconds + self.fit_seconds[0]

    @property
    def warm(self):
        return min(self.fit_seconds[1:] or self.fit_seconds)


def command(library, bench, arguments):
    if library == "millrace":
        return [bench, "fit", *arguments]
    return [sys.executable, str(HERE / f"fit_{library}.py"), *arguments]


def run(library, family, rows, train, test, *, cores, fits, bench, scratch, limit_seconds):
    """One worker's run. One that fails or takes longer than the limit is told as such, not left out."""
    predictions = Path(scratch) / "predictions.f64"
    predictions.unlink(missing_ok=True)
    arguments = ["--train", str(train), "--test", str(test), "--family", family, "--cores", str(cores)]
    arguments += ["--fits", str(fits), "--predictions", str(predictions)]
    threads = {name: str(cores) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")}
    begun = time.perf_counter()
    worker = subprocess.Popen(
        command(library, bench, arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **threads},
        start_new_session=True,
    )
    memory = Memory(worker.pid)
    memory.start()
    failure = None
    try:
        output, errors = worker.communicate(timeout=limit_seconds)
    except subprocess.TimeoutExpired:
        memory.kill()
        output, errors = worker.communicate()
        failure = f"more than {limit_seconds:.0f} s"
    seconds = time.perf_counter() - begun
    memory.join()
    found = Run(library, family, rows, cores, seconds, memory.peak / 1e6)
    if failure is None and worker.returncode != 0:
        failure = (errors.strip().splitlines() or ["no message"])[-1][:200]
    if failure is not None:
        found.failure = failure
        return found
    told = json.loads(output.strip().splitlines()[-1])
    found.start_seconds = told["start_seconds"]
    found.load_seconds = told["load_seconds"]
    found.fit_seconds = tuple(told["fit_seconds"])
    found.predict_seconds = told["predict_seconds"]
    found.versions = told["versions"]
    found.probabilities = numpy.fromfile(predictions, dtype="<f8")
    return found


class Memory(threading.Thread):
    """The most memory that a process and its children held at once, in bytes, looked at every 20 ms."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.process = psutil.Process(pid)
        self.peak = 0

    def family(self):
        try:
            return [self.process, *self.process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def run(self):
        while self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE:
            total = 0
            for member in self.family():
                try:
                    total += member.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.peak = max(self.peak, total)
            time.sleep(0.02)

    def kill(self):
        for member in self.family():
            try:
                member.kill()
            except psutil.NoSuchProcess:
                continue
