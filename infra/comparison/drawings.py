"""Two drawings of the report: time and memory by rows."""

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402

from measure import LIBRARIES, TITLES  # noqa: E402

COLOURS = {"millrace": "#c2410c", "sklearn": "#2563eb", "dask": "#0d9488", "spark": "#7c3aed"}


def draw(docs, found):
    """Writes comparison-time.svg and comparison-memory.svg; nothing when there is a single size."""
    if len(found.sizes) < 2:
        return False
    # The same figures give the same file.
    matplotlib.rcParams["svg.hashsalt"] = "millrace"
    one(docs / "comparison-time.svg", found, lambda run: run.warm, "seconds of a warm fit")
    one(docs / "comparison-memory.svg", found, lambda run: run.peak_mb, "peak memory, MB")
    return True


def one(path, found, read, title):
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for library in LIBRARIES:
        points = [(size, found.value(read, library, "boosted", size)) for size in found.sizes]
        points = [(size, value) for size, value in points if isinstance(value, float)]
        if points:
            axes.plot(*zip(*points), marker="o", color=COLOURS[library], label=TITLES[library])
    axes.set(xscale="log", yscale="log", xlabel="rows", ylabel=title)
    axes.grid(True, which="major", color="#e5e7eb")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
