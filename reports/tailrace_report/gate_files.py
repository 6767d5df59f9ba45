# SPDX-License-Identifier: MIT
"""A gate's result in the forms that CI reads: JSON, Markdown, JUnit XML, GitHub's annotations.

Sources: GitHub, "Workflow commands for GitHub Actions" (what a command escapes). Of JUnit there is
no standard; elements and attributes are those that Jenkins, GitLab and junitparser read in common.
"""

import json
import re
from xml.etree import ElementTree

from .gate_result import plain
from .gate_rule import FAILED
from .gate_words import COLUMNS, clean, headlines, outcome, rows, sentences, table, told


def files(result):
    """{name: bytes} of gate.md, gate.xml and gate.json."""
    return {"gate.md": markdown(result).encode(), "gate.xml": junit(result),
            "gate.json": (json.dumps(plain(result), indent=1) + "\n").encode()}


def escaped(text):
    """`text` for Markdown, in tables too: entities where a backslash would not do."""
    return re.sub(r"[\\`*_\[\]~|#$&<>]", lambda found: f"&#{ord(found[0])};", clean(text))


def markdown(result):
    """The result for a job's page."""
    lines = [f"## tailrace gate: {result['verdict']}", ""]
    lines += [f"- **{word}** {escaped(' '.join(filter(None, rest)))}"
              for word, *rest in headlines(result)]
    lines += ["", row_of(COLUMNS), row_of(["---"] * len(COLUMNS)),
              *(row_of(map(escaped, cells)) for cells in table(result)), ""]
    return "\n".join([*lines, *(f"> {escaped(one)}\n" for one in sentences(result))])


def row_of(cells):
    """A line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def junit(result):
    """A test case for each comparison; what could not be told is skipped."""
    top = ElementTree.Element("testsuites")
    every = rows(result)
    failed = sum(row["verdict"] == "worse" for row in every)
    skipped = sum(bool(unknown(row)) for row in every)
    suite = ElementTree.SubElement(top, "testsuite", {
        "name": "tailrace gate", "tests": str(len(every)), "failures": str(failed), "errors": "0",
        "skipped": str(skipped), "time": "0"})
    properties = ElementTree.SubElement(suite, "properties")
    for sentence in sentences(result):
        ElementTree.SubElement(properties, "property", {"name": "note", "value": sentence})
    for row in every:
        add_case(suite, row)
    ElementTree.indent(top)
    return ElementTree.tostring(top, encoding="utf-8", xml_declaration=True) + b"\n"


def unknown(row):
    """Why a row has not been tested at all, or None."""
    return row.get("why") if row["verdict"] == "inconclusive" and row["metric"] != FAILED \
        else None


def add_case(suite, row):
    """The <testcase> of a row: its name is the same in each gate, for CI follows it by that."""
    case = ElementTree.SubElement(suite, "testcase", {
        "classname": clean(row["pair"]), "name": clean(row["metric"]), "time": "0"})
    text = clean(told(row))
    if row["verdict"] == "worse":
        ElementTree.SubElement(case, "failure", {"type": "worse", "message": text}).text = text
    elif unknown(row):
        ElementTree.SubElement(case, "skipped", {"message": clean(unknown(row))})
    else:
        ElementTree.SubElement(case, "system-out").text = f"{clean(outcome(row))}: {text}"


def annotations(result):
    """GitHub's commands: an error for each row that fails, a notice for what does not although it
    was found."""
    for row in rows(result):
        if row["verdict"] in ("worse", "host", "unconfirmed"):
            command = "error" if row["verdict"] == "worse" else "notice"
            title = data(f"{clean(row['metric'])} {row['verdict']}")
            title = title.replace(":", "%3A").replace(",", "%2C")
            yield f"::{command} title={title}::{data(clean(row['pair'] + ': ' + told(row)))}"


def data(text):
    """`text` as the data of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
