"""Writes docs/comparison.md and its drawings from the measured figures."""

from statistics import median

import complexity
import cost
import drawings
from columns import BOOSTED, FAMILIES, FOREST
from measure import LIBRARIES, TITLES

CHAMPION = "boosted"
NAMES = {"logistic": "logistic regression", "forest": "random forest", "boosted": "boosted trees"}


def plain(run):
    """A run as a line that can be printed."""
    return {
        "library": run.library,
        "family": run.family,
        "rows": run.rows,
        "cores": run.cores,
        "fit_seconds": run.fit_seconds,
        "start_seconds": run.start_seconds,
        "load_seconds": run.load_seconds,
        "peak_mb": round(run.peak_mb),
        "failure": run.failure,
    }


def number(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 0.001 else f"{value:.1e}"


def table(headings, lines):
    head = "| " + " | ".join(headings) + " |"
    rule = "| " + " | ".join("---" for _ in headings) + " |"
    return "\n".join([head, rule, *("| " + " | ".join(line) + " |" for line in lines)])


class Figures:
    def __init__(self, runs):
        self.runs = runs
        self.quality = {}
        for run in runs:
            if run.quality:
                self.quality.setdefault((run.rows, run.family, run.library), run.quality)
        self.sizes = sorted({run.rows for run in self.runs})
        self.cores = max(run.cores for run in self.runs)
        self.keys = sorted({(run.library, run.family, run.rows, run.cores) for run in self.runs})

    def of(self, library, family, rows, cores=None):
        cores = cores or self.cores
        return [
            run
            for run in self.runs
            if (run.library, run.family, run.rows, run.cores) == (library, family, rows, cores)
        ]

    def value(self, read, *key):
        """The median of a figure over the runs, or why there is none."""
        runs = self.of(*key)
        if not runs:
            return None
        failed = [run.failure for run in runs if run.failure]
        return failed[0] if failed else median(read(run) for run in runs)

    def cell(self, read, *key):
        value = self.value(read, *key)
        if value is None:
            return "–"
        return value if isinstance(value, str) else number(value)


def write(docs, data, runs, at, bench):
    found = Figures(runs)
    drawn = drawings.draw(docs, found)
    parts = [
        opening(data, found, at),
        times(found),
        "![Seconds of a warm fit by rows](comparison-time.svg)" if drawn else "",
        memory(found),
        "![Peak memory by rows](comparison-memory.svg)" if drawn else "",
        cores(found),
        quality(data, found),
        effort(bench),
        money(found),
        choice(found),
    ]
    (docs / "comparison.md").write_text("\n\n".join(part for part in parts if part) + "\n")


def opening(data, found, at):
    versions = {name: version for run in found.runs for name, version in run.versions.items()}
    return f"""# Four ways to train the churn model

`scripts/compare` measures them and writes this page: the same rows, columns and size of model in Millrace, scikit-learn on pandas, Dask-ML and Spark MLlib, each run a process of its own on one machine.

{at[:16].replace("T", " ")} UTC; {data["machine"]}; {", ".join(f"{name} {version}" for name, version in sorted(versions.items()))}.

Rows: {data["source"]}. The {data["document_rows"]:,} labelled customers were read from the documents in {number(data["document_seconds"])} s; {data["train_rows"]:,} of them are trained on, and quality is measured on the other {data["test_rows"]:,}. Larger sizes are drawn from the training rows with replacement, with their minutes varied, and read from one Parquet file. Forests have {FOREST["trees"]} trees of depth {FOREST["depth"]} that look at {FOREST["columns"]:.0%} of the columns at each split, boosted models {BOOSTED["trees"]} trees of depth {BOOSTED["depth"]} at a learning rate of {BOOSTED["learning_rate"]} that look at {BOOSTED["columns"]:.0%} of them, Millrace's for each tree and the others' at each split. Of a million rows only boosted trees are fitted. A run may take 20 minutes, its reading and its fits together; one that takes longer is told as such. Dask-ML has neither forests nor boosted trees of its own: scikit-learn's are fitted on one worker and predict in parallel. {how_often(found)}; the machine is small and shared, so the ratios within this page count and not the seconds. A dash stands for what was not measured."""


def how_often(found):
    """Of how many runs figures are the medians, and which are of fewer."""
    counts = {key: len(found.of(*key)) for key in found.keys}
    usual = max(counts.values())
    fewer = {}
    for key, count in counts.items():
        if count < usual:
            fewer.setdefault((count, key[2]), []).append(key)
    told = []
    for (count, rows), keys in sorted(fewer.items()):
        whose = sorted({f"{TITLES[library]}'s {NAMES[family]}" for library, family, _, _ in keys})
        all_of_them = len(keys) == sum(key[2] == rows for key in counts)
        who = "" if all_of_them else f"of {', '.join(whose)} "
        told.append(f"{'one' if count == 1 else count} {who}at {rows:,} rows")
    return f"Figures are medians of {usual} runs" + (f", but of {'; of '.join(told)}" if told else "")


def times(found):
    lines = []
    for size in found.sizes:
        for family in FAMILIES:
            if not any(found.of(library, family, size) for library in LIBRARIES):
                continue
            for name, read in (("warm", lambda run: run.warm), ("cold", lambda run: run.cold)):
                cells = [found.cell(read, library, family, size) for library in LIBRARIES]
                lines.append([f"{size:,}", NAMES[family], name, *cells])
    headings = ["rows", "model", "fit", *(TITLES[library] for library in LIBRARIES)]
    return (
        "## Training time\n\nSeconds. Cold is the first fit of a new process with the start of its engine (a Dask cluster, a JVM); "
        "warm is a second fit in the same process. Reading the file is timed apart and not in it, and neither is the cross-validation by "
        "which Millrace chooses calibration and threshold: the others choose neither here.\n\n" + table(headings, lines)
    )


def memory(found):
    lines = []
    for size in found.sizes:
        for family in FAMILIES:
            if any(found.of(library, family, size) for library in LIBRARIES):
                cells = [found.cell(lambda run: run.peak_mb, library, family, size) for library in LIBRARIES]
                lines.append([f"{size:,}", NAMES[family], *cells])
    headings = ["rows", "model", *(TITLES[library] for library in LIBRARIES)]
    return "## Peak memory\n\nMegabytes that the process and its children held at once, the rows included.\n\n" + table(
        headings, lines
    )


def cores(found):
    lines = []
    for size in found.sizes:
        for library in LIBRARIES:
            one = found.value(lambda run: run.warm, library, CHAMPION, size, 1)
            all_cores = found.value(lambda run: run.warm, library, CHAMPION, size, found.cores)
            if isinstance(one, float) and isinstance(all_cores, float) and found.cores > 1:
                lines.append([f"{size:,}", TITLES[library], number(one), number(all_cores), f"{one / all_cores:.2f} ×"])
    if not lines:
        return ""
    headings = ["rows", "", "1 core", f"{found.cores} cores", "gain"]
    return f"## By cores\n\nSeconds of a warm fit of {NAMES[CHAMPION]}.\n\n" + table(headings, lines)


def quality(data, found):
    lines = []
    for family in FAMILIES:
        for library in LIBRARIES:
            measured = found.quality.get((data["train_rows"], family, library))
            if measured:
                cells = [f"{value:.3f} ({low:.3f} to {high:.3f})" for value, low, high in measured.values()]
                lines.append([NAMES[family], TITLES[library], *cells])
    if not lines:
        return ""
    measures = list(next(iter(found.quality.values())))
    return (
        f"## Quality\n\nOf models trained on the {data['train_rows']:,} rows, on the {data['test_rows']:,} that none of them saw, with 95 % "
        "intervals of a thousand resamples. Accuracy and F1 are at a probability of 0.5.\n\n"
        + table(["model", "", *measures], lines)
    )


def effort(bench):
    lines = []
    for library in LIBRARIES:
        code, packages, megabytes = complexity.of(library, bench)
        lines.append([TITLES[library], f"{code:,}", f"{packages:,}", number(megabytes), complexity.OPERATIONS[library]])
    return (
        "## Complexity\n\nLines of code of ours that stay (Millrace's include cross-validation, calibration, artefacts and exact reasons, "
        "which the other three do not have here), packages behind them, and megabytes to ship: the binary of `train`, or the "
        "installed packages without the interpreter and the JVM.\n\n"
        + table(["", "lines", "packages", "MB", "to run it every day"], lines)
    )


def money(found):
    lines = []
    for size in found.sizes:
        for library in LIBRARIES:
            runs = [run for run in found.of(library, CHAMPION, size) if not run.failure]
            if runs:
                dollars, how = cost.monthly(library, runs[0])
                lines.append([f"{size:,}", TITLES[library], f"{dollars:.4f}", how])
    return (
        "## Cost of a daily training on AWS\n\nUS dollars a month, by list prices of us-east-1 (`infra/comparison/cost.py`), with the start, "
        "the reading and the cold fit measured above; storage and requests are left out, as they are the same.\n\n"
        + table(["rows", "", "$ a month", "computed from"], lines)
    )


def choice(found):
    lines = []
    for size in found.sizes:
        fits, memories = (
            {library: found.value(read, library, CHAMPION, size) for library in LIBRARIES}
            for read in (lambda run: run.warm, lambda run: run.peak_mb)
        )
        losses = {
            library: measured["log loss"][0]
            for (rows, family, library), measured in found.quality.items()
            if (rows, family) == (size, CHAMPION)
        }
        for library in LIBRARIES[1:]:
            if not isinstance(fits["millrace"], float) or not isinstance(fits[library], float):
                lines.append([f"{size:,}", TITLES[library], str(fits[library] or "–"), "–", "–"])
                continue
            faster, smaller = fits[library] / fits["millrace"], memories[library] / memories["millrace"]
            both = {"millrace", library} <= losses.keys()
            difference = f"{losses['millrace'] - losses[library]:+.4f}" if both else "–"
            lines.append([f"{size:,}", TITLES[library], f"{faster:.2f} ×", f"{smaller:.1f} ×", difference])
    ratios = table(["rows", "", "its fit ÷ ours", "its memory ÷ ours", "our log loss − its"], lines)
    return f"""## The choice

{NAMES[CHAMPION].capitalize()}, the champion's family, side by side (above 1 × we are faster or smaller; below 0 our probabilities are better):

{ratios}

Millrace trains in Rust, in a Lambda, for as long as the rows fit into one: the artefact scores inside the stream in the same process that stores the customer, so the model that is trained is the one that runs, without a second implementation or a model server. Choose otherwise when

- **people explore**: for new features and new kinds of model, take scikit-learn in a notebook on the Parquet archive, and bring here what has proved itself;
- **rows outgrow a machine** (`train` says so and names the job): Spark on EMR Serverless trains from the archive, `infra/spark/train_churn.py`. Its start alone costs more than our whole training at the sizes above;
- **a cluster of Python is there already**: Dask-ML spreads scikit-learn's predictions and searches over it; its own estimators are few."""
