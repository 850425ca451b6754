"""Measures the four ways to train the churn model and writes docs/comparison.md with its figures. scripts/compare runs it."""

import argparse
import json
import platform
import tempfile
from pathlib import Path

import measure
import quality
import report
import rows
from columns import FAMILIES, LABEL

LIMIT_SECONDS = 1200


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", required=True, help="the document server's URL")
    parser.add_argument("--database", required=True)
    parser.add_argument("--bench", required=True, help="the program millrace-comparison")
    parser.add_argument("--docs", required=True, help="the folder of comparison.md")
    parser.add_argument("--source", required=True, help="what the rows are, for the report")
    parser.add_argument("--sizes", type=int, nargs="*", default=[100_000, 1_000_000], help="sizes beside the documents' own")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--cores", type=int, required=True)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="millrace-compare-") as scratch:
        frame, read_seconds = rows.read_documents(options.documents, options.database)
        if frame.empty:
            raise SystemExit("error: the documents hold no labelled customers")
        train, test = rows.divide(frame)
        test_file = Path(scratch) / "test.parquet"
        test.to_parquet(test_file, compression="zstd")
        found = []
        for size in [len(train), *options.sizes]:
            train_file = Path(scratch) / f"train-{size}.parquet"
            (train if size == len(train) else rows.enlarge(train, size)).to_parquet(train_file, compression="zstd")
            found += of_size(options, size, train_file, test_file, scratch)
            train_file.unlink()
        figures = {
            "source": options.source,
            "machine": f"{options.cores} cores, {platform.machine()}, Linux {platform.release()}",
            "documents": {"rows": len(frame), "seconds": read_seconds},
            "train_rows": len(train),
            "test_rows": len(test),
            "runs": found,
            "quality": qualities(found, test[LABEL].to_numpy()),
        }
    report.write(Path(options.docs), figures, Path(options.bench))


def of_size(options, size, train_file, test_file, scratch):
    """Every library and family at one size, and by cores. At the largest size: the champion's family, once."""
    large = size >= 1_000_000
    found = []
    for family in ["boosted"] if large else FAMILIES:
        for library in measure.LIBRARIES:
            for cores in sorted({1, options.cores}) if family == "boosted" and not large else [options.cores]:
                for _ in range(1 if large else options.runs):
                    run = measure.run(
                        library,
                        family,
                        size,
                        train_file,
                        test_file,
                        cores=cores,
                        fits=1 if large else 2,
                        bench=options.bench,
                        scratch=scratch,
                        limit_seconds=LIMIT_SECONDS,
                    )
                    found.append(run)
                    print(json.dumps(report.plain(run)), flush=True)
                    if run.failure:
                        break
    return found


def qualities(runs, labels):
    found = {}
    for run in runs:
        key = (run.rows, run.family, run.library)
        if run.failure is None and key not in found:
            found[key] = quality.measure(labels, run.probabilities)
    return found


if __name__ == "__main__":
    main()
