#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Stands for a build's `tailrace run`: writes a result whose numbers are known, measures nothing.

What it does is in fake.json beside it: `factors` ({metric key: factor}), `allocations` per request,
`status` (of every run), `exit` (ends with that status and a sentence), `sleep_s`. The spread
between runs comes from the seed and the build's own `salt`, so that runs repeat.
"""

import json
import random
import sys
import time
from pathlib import Path

BEHAVIOUR = json.loads((Path(sys.argv[0]).parent / "fake.json").read_text())
QUANTILES = {"p50": 1000, "p90": 2000, "p99": 4000, "p99_9": 9000, "p99_99": 20000, "max": 30000}


def option(name, default=None):
    """The value of an option on the command line."""
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def quantiles(kind, noise):
    """Quantiles in ns with this run's noise and the build's factors."""
    factors = BEHAVIOUR.get("factors", {})
    return {key: ns * noise.lognormvariate(0, 0.02) * factors.get(f"{kind}.{key}", 1)
            for key, ns in QUANTILES.items()}


def main():
    """Write the result, or do what else the build does."""
    log = Path(sys.argv[0]).parent / "calls.jsonl"
    with log.open("a") as calls:
        calls.write(json.dumps(sys.argv[1:]) + "\n")
    time.sleep(BEHAVIOUR.get("sleep_s", 0))
    if "exit" in BEHAVIOUR:
        print("tailrace: this build will not", file=sys.stderr)
        return BEHAVIOUR["exit"]
    if "--count" in sys.argv and "allocations" not in BEHAVIOUR:
        print("tailrace: run has no option --count", file=sys.stderr)
        return 2
    noise = random.Random(f"{BEHAVIOUR.get('salt')} {sys.argv[2:]}")
    status, requests = BEHAVIOUR.get("status", "ok"), int(float(option("--requests", 50000)))
    result = {
        "schema": "tailrace/run/1", "status": status, "stamps": [],
        "reason": None if status == "ok" else "so it was told", "requests": requests,
        "mode": "closed" if "--closed" in sys.argv else "open", "achieved_rate": 100000.0,
        "response_ns": quantiles("response", noise), "service_ns": quantiles("service", noise),
        "rss_peak_bytes": 10 << 20, "duration_s": 0.5, "context": {}}
    if "--count" in sys.argv:
        calls = BEHAVIOUR["allocations"] * requests
        result["allocations"] = {"calls": calls, "bytes": 64 * calls, "frees": calls}
    Path(option("--json")).write_text(json.dumps(result))
    return 0


sys.exit(main())
