# SPDX-License-Identifier: MIT
"""A result set for CI servers and monitoring: JUnit XML and OpenMetrics text."""

import math
import re
from collections import Counter
from decimal import Decimal
from xml.etree import ElementTree

from .export_cells import left_out, why
from .text import count

# What XML 1.0 cannot hold.
NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
BROKEN = ("crashed", "timeout")  # an error of the program; other failures are of the test
QUANTILE = re.compile(r"(service-)?p(\d+(?:\.\d+)?)")
BASE_UNITS = {"ns": ("seconds", 1e-9), "s": ("seconds", 1), "bytes": ("bytes", 1)}


def junit(cells, _manifest, _note):
    """JUnit XML: a test case for each cell, a suite for each workload.

    Runs that failed are a failure (the program broke: an error), each told; a cell that cannot be
    is skipped. What was measured is its output.
    """
    root = ElementTree.Element("testsuites", name="tailrace")
    for workload in dict.fromkeys(cell.workload for cell in cells):
        suite = ElementTree.SubElement(root, "testsuite", name=clean(workload))
        cases = [add_case(suite, cell) for cell in cells if cell.workload == workload]
        found = Counter(kind for kind, _ in cases)
        for key, value in {"tests": len(cases), "failures": found["failure"],
                           "errors": found["error"], "skipped": found["skipped"],
                           "time": f"{sum(seconds for _, seconds in cases):.3f}"}.items():
            suite.set(key, str(value))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def add_case(suite, cell):
    """Add a cell; (skipped, failure, error or None; seconds that its runs recorded)."""
    time_s = sum(run.get("duration_s") or 0 for run in cell.runs)
    case = ElementTree.SubElement(suite, "testcase", name=clean(cell.name), time=f"{time_s:.3f}",
                                  classname=clean(f"tailrace.{cell.workload}"))
    kind, lines = outcome(cell)
    if kind == "skipped":
        ElementTree.SubElement(case, kind, message=lines[0])
    elif kind:
        message = f"{len(lines)} of {count(len(cell.supported), 'run')} failed: {lines[0]}"
        found = ElementTree.SubElement(case, kind, message=message, type=cell.failed[0]["status"])
        found.text = "\n".join(lines)
    if measured := [f"{one.metric.what}: {one.text()}" for one in cell.estimates.values()]:
        output = ElementTree.SubElement(case, "system-out")
        output.text = clean(f"median over runs ({cell.statuses()}) and 98 % interval\n"
                            + "\n".join(measured))
    return kind, time_s


def outcome(cell):
    """(skipped, failure, error or None; what to say of it as lines)."""
    if not cell.supported:
        return "skipped", [clean(left_out(cell))]
    lines = [clean(f"block {run['block']} {why(run)}") for run in cell.failed]
    broken = any(run["status"] in BROKEN for run in cell.failed)
    return ("error" if broken else "failure") if lines else None, lines


def clean(text):
    """`text` without what XML cannot hold."""
    return NO_XML.sub("\ufffd", text)


def open_metrics(cells, _manifest, note):
    """OpenMetrics text: a gauge for each metric, and the number of runs by status.

    Label `estimate`: the median over runs, and where its interval is known `low` and `high`.
    """
    families = {}
    for cell in cells:
        for one in cell.estimates.values():
            name, unit, what, factor, labels = family(one)
            _, samples = families.setdefault(name, (head(name, unit, what), []))
            samples += [f"{name}{{{labels_of(cell, **labels, estimate=word)}}} "
                        f"{number(value, factor)}" for word in ("median", "low", "high")
                        if (value := getattr(one, word)) is not None]
        if not cell.estimates:
            note(left_out(cell))
    lines = [line for first, samples in families.values() for line in (*first, *samples)]
    lines += [*head("tailrace_runs", "", "runs of the cell that ended so"),
              *(f"tailrace_runs{{{labels_of(cell, status=word)}}} {n}" for cell in cells
                for word, n in Counter(run["status"] for run in cell.runs).items())]
    return "\n".join((*lines, "# EOF\n"))


def family(one):
    """(name, unit, what it is, factor to its unit, labels) of the metric of an Estimate."""
    unit, factor = BASE_UNITS.get(one.unit, ("", 1))
    name, what, labels = one.metric.name, one.metric.what, {}
    if quantile := QUANTILE.fullmatch(name):
        name = "service" if quantile[1] else "response"
        what = f"{name} time"
        labels = {"quantile": str(Decimal(quantile[2]) / 100)}
    name = "tailrace_" + re.sub("[^a-z0-9]", "_", name)
    if unit and not name.endswith(f"_{unit}"):
        name += f"_{unit}"
    return name, unit, what, factor, labels


def head(name, unit, what):
    """The lines that describe a family."""
    unit = [f"# UNIT {name} {unit}"] if unit else []
    return [f"# TYPE {name} gauge", *unit, f"# HELP {name} {what}"]


def labels_of(cell, **more):
    """The labels of a cell's sample, escaped."""
    labels = {"cell": cell.name, **{key: str(cell.spec[key]) for key in
                                    ("scenario", "strategy", "heap")}, **more}
    return ",".join('{}="{}"'.format(key, value.replace("\\", r"\\").replace("\n", r"\n")
                                     .replace('"', r'\"')) for key, value in labels.items())


def number(value, factor):
    """A value in the family's unit; a run that failed is +Inf."""
    return "+Inf" if value == math.inf else f"{value * factor:.12g}"


