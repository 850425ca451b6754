"""Runs one worker as a process of its own and says what it needed."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
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
    fit_seconds: list = field(default_factory=list)
    predict_seconds: float = 0.0
    versions: dict = field(default_factory=dict)
    failure: str = None
    # By measure: the value and the bounds of its interval; where it was measured.
    quality: dict = None

    @property
    def cold(self):
        return self.start_seconds + self.fit_seconds[0]

    @property
    def warm(self):
        return min(self.fit_seconds[1:] or self.fit_seconds)

    def to_json(self):
        return asdict(self)

    @classmethod
    def of_json(cls, record):
        return cls(**{name: record[name] for name in cls.__dataclass_fields__})


def command(library, bench, arguments):
    if library == "millrace":
        return [bench, "fit", *arguments]
    return [sys.executable, str(HERE / f"fit_{library}.py"), *arguments]


def run(library, family, rows, train, test, *, cores, fits, bench, scratch, limit_seconds):
    """One worker's run, and its probabilities of the test rows. One that fails or takes longer than the limit is told as such, not
    left out; it has no probabilities."""
    predictions = Path(scratch) / "predictions.f64"
    predictions.unlink(missing_ok=True)
    arguments = ["--train", str(train), "--test", str(test), "--family", family, "--cores", str(cores)]
    arguments += ["--fits", str(fits), "--predictions", str(predictions)]
    threads = {name: str(cores) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")}
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    begun = time.perf_counter()
    worker = subprocess.Popen(
        command(library, bench, arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **threads},
        start_new_session=True,
        # Whatever threads an engine starts, a JVM's for its garbage among them.
        preexec_fn=lambda: os.sched_setaffinity(0, allowed),
    )
    memory = Memory(worker.pid)
    memory.start()
    failure = None
    try:
        output, errors = worker.communicate(timeout=limit_seconds)
    except subprocess.TimeoutExpired:
        memory.kill()
        output, errors = worker.communicate()
        failure = f"more than {limit_seconds / 60:.0f} min"
    except BaseException:
        # It has a session of its own: who stops this program does not stop it.
        memory.kill()
        raise
    seconds = time.perf_counter() - begun
    memory.join()
    found = Run(library, family, rows, cores, seconds, memory.peak / 1e6)
    if failure is None and worker.returncode != 0:
        failure = (errors.strip().splitlines() or [f"exit status {worker.returncode}"])[-1][:200]
    if failure is None:
        try:
            told = json.loads(output.strip().splitlines()[-1])
            probabilities = numpy.fromfile(predictions, dtype="<f8")
        except (ValueError, IndexError, OSError) as error:
            failure = f"no answer: {error}"[:200]
    if failure is not None:
        found.failure = failure
        return found, None
    for name in ("start_seconds", "load_seconds", "fit_seconds", "predict_seconds", "versions"):
        setattr(found, name, told[name])
    return found, probabilities


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
        looks = 0
        members = []
        while self.runs():
            # To look for children is to read every process of the machine: five times a second is often enough.
            if looks % 10 == 0:
                members = self.family()
            looks += 1
            total = 0
            for member in members:
                try:
                    total += member.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.peak = max(self.peak, total)
            time.sleep(0.02)

    def runs(self):
        try:
            return self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def kill(self):
        for member in self.family():
            try:
                member.kill()
            except psutil.NoSuchProcess:
                continue
