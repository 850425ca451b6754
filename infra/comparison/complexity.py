"""What stands behind each way: lines to keep, packages to trust, bytes to ship."""

import re
import subprocess
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

OPERATIONS = {
    "millrace": "one zip of one binary: a Lambda function with a schedule",
    "sklearn": "a container image with Python: a Fargate task with a schedule, patched as Python and its packages are",
    "dask": "the same image; beyond one machine a scheduler and workers of one version, and a network between them",
    "spark": "an EMR Serverless application, its release, job scripts and packages in S3; a JVM and Python on each worker",
}
PACKAGES = {"sklearn": ["scikit-learn", "pandas", "pyarrow"], "dask": ["dask-ml", "dask", "pyarrow"], "spark": ["pyspark", "numpy"]}


def code_lines(paths):
    """Lines that are neither empty nor a comment, nor tests."""
    count = 0
    for path in paths:
        text = path.read_text()
        if path.suffix == ".rs":
            text = text.split("#[cfg(test)]")[0]
        count += sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith(("#", "//")))
    return count


def closure(names):
    """The installed packages that `names` need, themselves included."""
    found, todo = {}, list(names)
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in found:
            continue
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found[name] = sum(file.size or 0 for file in distribution.files or [])
        for needed in distribution.requires or []:
            if "extra ==" not in needed:
                todo.append(re.match(r"[A-Za-z0-9._-]+", needed).group(0))
    return found


def of(library, bench):
    """(lines, packages, megabytes)."""
    if library == "millrace":
        tree = subprocess.run(
            ["cargo", "tree", "--locked", "-p", "train", "-e", "normal", "--prefix", "none", "--format", "{p}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        packages = {line.split(" (")[0] for line in tree.splitlines() if line}
        sources = [path for crate in ("learning", "churn-model") for path in (ROOT / "crates" / crate / "src").rglob("*.rs")]
        binary = Path(bench).with_name("train")
        return code_lines(sources), len(packages), binary.stat().st_size / 1e6
    sizes = closure(PACKAGES[library])
    sources = [HERE / f"fit_{library}.py", HERE / "fitting.py", HERE / "columns.py"]
    if library == "dask":
        sources.append(HERE / "fit_sklearn.py")
    return code_lines(sources), len(sizes), sum(sizes.values()) / 1e6
