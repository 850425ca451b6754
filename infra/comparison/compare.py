"""Measures the four ways to train the churn model and writes docs/comparison.md with the figures. scripts/compare runs it.

    compare.py --kept FOLDER read      the rows, from the documents
    compare.py --kept FOLDER measure   what is not kept yet of these rows and this code, one process after another
    compare.py --kept FOLDER report    docs/comparison.md, from all that is kept of these rows

Every run is kept as a line of JSON in the folder as soon as it has ended.
"""

import argparse
import datetime
import json
import platform
import tempfile
from pathlib import Path

import pandas

import kept
import measure
import quality
import report
import rows
from columns import FAMILIES, LABEL

# Of a worker: start, reading, fits and predictions together.
LIMIT_SECONDS = 1200
LARGE = 1_000_000


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kept", required=True, help="the folder in which rows and runs are kept")
    steps = parser.add_subparsers(dest="step", required=True)
    read = steps.add_parser("read")
    read.add_argument("--documents", required=True, help="the document server's URL")
    read.add_argument("--database", required=True)
    read.add_argument("--source", required=True, help="what the rows are, for the report")
    read.add_argument("--cores", type=int, required=True)
    measured = steps.add_parser("measure")
    measured.add_argument("--bench", required=True, help="the program millrace-comparison")
    measured.add_argument("--sizes", type=int, nargs="*", default=[100_000, LARGE], help="beside the documents' own")
    measured.add_argument("--runs", type=int, default=3)
    measured.add_argument("--only", nargs="*", choices=measure.LIBRARIES, default=measure.LIBRARIES)
    measured.add_argument("--again", action="store_true", help="measure what is kept once more")
    measured.add_argument("--cores", type=int, required=True)
    written = steps.add_parser("report")
    written.add_argument("--bench", required=True, help="the program millrace-comparison")
    written.add_argument("--docs", required=True, help="the folder of comparison.md")
    return parser.parse_args()


def main():
    options = arguments()
    store = kept.Kept(options.kept)
    {"read": read_rows, "measure": measure_all, "report": write_page}[options.step](options, store)


def read_rows(options, store):
    frame, seconds = rows.read_documents(options.documents, options.database)
    train, test = rows.divide(frame)
    machine = f"{options.cores} cores, {platform.machine()}, Linux {platform.release()}"
    data = kept.of_rows(machine, train, test)
    for name, part in (("train", train), ("test", test)):
        part.to_parquet(store.rows_file(data, name), compression="zstd")
    store.add(
        {
            "kind": "data",
            "digest": data,
            "source": options.source,
            "machine": machine,
            "document_rows": len(frame),
            "document_seconds": seconds,
            "train_rows": len(train),
            "test_rows": len(test),
        }
    )


def write_page(options, store):
    data = store.data()
    records = [record for library in measure.LIBRARIES for record in store.runs(data["digest"], library)]
    if all(record["failure"] for record in records):
        raise SystemExit(f"error: no run succeeded; what they said is in {store.path}")
    runs = [measure.Run.of_json(record) for record in records]
    report.write(Path(options.docs), data, runs, max(record["at"] for record in records), Path(options.bench))


def measure_all(options, store):
    data = store.data()["digest"]
    test_file = store.rows_file(data, "test")
    train, test = (pandas.read_parquet(store.rows_file(data, name)) for name in ("train", "test"))
    sizes = list(dict.fromkeys([len(train), *options.sizes]))
    if options.again:
        store.forget(
            lambda record: record["kind"] == "run"
            and record["data"] == data
            and record["library"] in options.only
            and record["rows"] in sizes
        )
    with tempfile.TemporaryDirectory(prefix="millrace-compare-") as scratch:
        for size in sizes:
            train_file = Path(scratch) / f"train-{size}.parquet"
            for family, cores, counts in list(missing(options, store, data, size)):
                if not train_file.exists():
                    (train if size == len(train) else rows.enlarge(train, size)).to_parquet(train_file, compression="zstd")
                for n, library in turns(counts):
                    run, probabilities = measure.run(
                        library,
                        family,
                        size,
                        train_file,
                        test_file,
                        cores=cores,
                        fits=1 if size >= LARGE else 2,
                        bench=options.bench,
                        scratch=scratch,
                        limit_seconds=LIMIT_SECONDS,
                    )
                    # Every run of these gives the same model.
                    if run.failure is None and n == 0:
                        run.quality = quality.measure(test[LABEL].to_numpy(), probabilities)
                    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
                    code = kept.of_code(library, options.bench)
                    store.add({"kind": "run", "at": at, "data": data, "code": code, **run.to_json()})
                    print(json.dumps(report.plain(run)), flush=True)
                    if run.failure:
                        counts[library] = 0
            train_file.unlink(missing_ok=True)


def turns(counts):
    """(turn, library), each library as often as its count says, which may sink meanwhile. By turns, so that a slow minute of the
    machine befalls all alike."""
    for turn in range(max(counts.values())):
        for library in counts:
            if turn < counts[library]:
                yield turn, library


def missing(options, store, data, size):
    """(family, cores, how often by library) of what is to be measured at one size. Boosted trees are measured by cores too; at the
    largest size they are the only family, once."""
    for family in ["boosted"] if size >= LARGE else FAMILIES:
        by_cores = family == "boosted" and size < LARGE
        for cores in sorted({1, options.cores}) if by_cores else [options.cores]:
            counts = {}
            for library in options.only:
                known = store.runs(data, library, kept.of_code(library, options.bench))
                of_these = [run for run in known if kept.part(run) == (family, size, cores)]
                count = (1 if size >= LARGE else options.runs) - len(of_these)
                # One that failed would fail again, after as long.
                if count > 0 and not any(run["failure"] for run in of_these):
                    counts[library] = count
            if counts:
                yield family, cores, counts


if __name__ == "__main__":
    main()
