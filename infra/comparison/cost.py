"""What a daily training costs on AWS, from the measured seconds and memory.

List prices of us-east-1 in US dollars, as AWS published them when this was written: Lambda on arm64 by the GB-second, Fargate on
arm64 and EMR Serverless on x86 by the vCPU-hour and GB-hour. A Fargate task and an EMR worker are paid for at least a minute,
from the pull of the image or the start of the worker on.
"""

import math

LAMBDA_GB_SECOND = 0.0000133334
FARGATE_VCPU_HOUR = 0.03238
FARGATE_GB_HOUR = 0.00356
EMR_VCPU_HOUR = 0.052624
EMR_GB_HOUR = 0.0057785
# What is paid before the first line of a job runs.
FARGATE_START_SECONDS = 30
EMR_START_SECONDS = 60
EMR_OVERHEAD_GB = 2
DAYS = 30


def monthly(library, run):
    """(dollars a month, how they come about)."""
    busy = run.start_seconds + run.load_seconds + run.fit_seconds[0]
    if library == "millrace":
        gigabytes = max(0.128, run.peak_mb * 1.5 / 1000)
        # Lambda gives a vCPU for each 1,769 MB: two of them need 3.54 GB.
        gigabytes = max(gigabytes, 1.769 * run.cores) if busy > 5 else gigabytes
        dollars = DAYS * busy * gigabytes * LAMBDA_GB_SECOND
        return dollars, f"Lambda: {DAYS} × {busy:.2f} s × {gigabytes:.2f} GB"
    if library == "spark":
        seconds = max(60, busy + EMR_START_SECONDS)
        gigabytes = math.ceil(run.peak_mb / 1000) + EMR_OVERHEAD_GB
        # A driver and one executor of the measured size.
        dollars = 2 * DAYS * seconds / 3600 * (run.cores * EMR_VCPU_HOUR + gigabytes * EMR_GB_HOUR)
        return dollars, f"EMR Serverless: {DAYS} × {seconds:.0f} s × 2 workers of {run.cores} vCPU, {gigabytes} GB"
    seconds = max(60, busy + FARGATE_START_SECONDS)
    gigabytes = max(2 * run.cores, math.ceil(run.peak_mb / 1000))
    dollars = DAYS * seconds / 3600 * (run.cores * FARGATE_VCPU_HOUR + gigabytes * FARGATE_GB_HOUR)
    return dollars, f"Fargate: {DAYS} × {seconds:.0f} s × {run.cores} vCPU, {gigabytes} GB"
