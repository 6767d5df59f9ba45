# SPDX-License-Identifier: MIT
"""What a gate leaves for CI: valid SARIF, JUnit that a reader of it reads, workflow commands."""
import html.parser
import json
import os
import re
import subprocess
import xml.etree.ElementTree
from pathlib import Path

import pytest

jsonschema = pytest.importorskip("jsonschema", reason="install python3-jsonschema")
junitparser = pytest.importorskip("junitparser", reason="install python3-junitparser")

SCHEMA = Path(__file__).parent / "race" / "sarif-schema-2.1.0.json"
RESULTS = ["silent", "states", "odd", "empty"]
STATES = ["new", "known", "suppressed", "new", "new", "new"]  # of states
NO_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ufffe\uffff]")
VOID = {"br"}


@pytest.fixture(scope="module")
def reports(program, tmp_path_factory):
    """The folder in which the C test has left a set of reports of each of RESULTS."""
    folder = tmp_path_factory.mktemp("reports")
    test = program.program.parent / "harness" / "tests" / "test_race_result"
    if not test.exists():
        pytest.skip(f"{test} is not built: cmocka is not installed")
    done = subprocess.run([test], env={**os.environ, "RACE_RESULT_FOLDER": str(folder)},
                          cwd=program.repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def sarif_of(reports, name):
    return json.loads((reports / f"{name}.sarif").read_text())["runs"][0]


@pytest.mark.parametrize("name", RESULTS)
def test_sarif_is_valid(reports, name):
    schema = json.loads(SCHEMA.read_text())
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    log = json.loads((reports / f"{name}.sarif").read_text())
    assert [error.message for error in kind(schema).iter_errors(log)] == []
    log["runs"][0]["tool"]["driver"].pop("name")  # the schema does reject something
    assert not kind(schema).is_valid(log)


def uris(value):
    """All artifact locations in a log."""
    if isinstance(value, list):
        for one in value:
            yield from uris(one)
    elif isinstance(value, dict):
        if "uri" in value:
            yield value
        for key, one in value.items():
            if key != "originalUriBaseIds":
                yield from uris(one)


@pytest.mark.parametrize("name", RESULTS)
def test_sarif_uris(reports, name):
    run = sarif_of(reports, name)
    base = run["originalUriBaseIds"]["SRCROOT"]["uri"]
    assert base.startswith("file:///") and base.endswith("/")
    for one in uris(run):
        assert re.fullmatch(r"(file:///)?([-.\w~/]|%[0-9A-F]{2})+", one["uri"], re.ASCII), one
        assert ("uriBaseId" in one) == (not one["uri"].startswith("file:")), one
        assert ".." not in one["uri"].split("/")


def test_sarif_results(reports):
    run = sarif_of(reports, "states")
    results, rules = run["results"], run["tool"]["driver"]["rules"]
    assert [one["properties"]["state"] for one in results] == STATES
    assert [one["level"] for one in results] == \
        ["error" if state == "new" else "note" for state in STATES]
    assert ["suppressions" in one for one in results] == [state == "suppressed" for state in STATES]
    assert results[2]["suppressions"][0]["justification"].startswith("a counter of statistics")
    assert [rules[one["ruleIndex"]]["id"] for one in results] == [one["ruleId"] for one in results]
    assert len({rule["id"] for rule in rules}) == len(rules) == 5
    for rule in rules:
        assert rule["help"]["text"].endswith(".") and rule["shortDescription"]["text"].endswith(".")
    for one in results:  # GitHub refuses those without
        assert one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert run["invocations"][0]["executionSuccessful"] is True
    assert not sarif_of(reports, "empty")["invocations"][0]["executionSuccessful"]
    assert run["automationDetails"]["id"] == "tailrace/race/prog/"


def test_sarif_race(reports):
    race = sarif_of(reports, "states")["results"][0]
    places = race["locations"]
    assert [one["logicalLocations"][0]["name"] for one in places] == ["add", "total"]
    assert places[0]["physicalLocation"] == {
        "artifactLocation": {"uri": "src/counter.c", "uriBaseId": "SRCROOT"},
        "region": {"startLine": 12}}
    assert [one["message"]["text"] for one in race["relatedLocations"]] == \
        ["allocated by main thread", "thread T1 created by main thread"]
    flows = race["codeFlows"][0]["threadFlows"]
    assert [[one["location"]["logicalLocations"][0]["name"] for one in flow["locations"]]
            for flow in flows] == [["main", "add"], ["main", "total"]]
    assert race["partialFingerprints"] == {"tailrace/v1": "0000000001234567"}
    properties = race["properties"]
    assert (properties["hits"], properties["runs"]) == (12, 200)
    assert properties["first_seed"] == 4000000000 << 11 | 64 << 3 | 3


def test_json(reports):
    result = json.loads((reports / "states.json").read_text())
    assert set(result) == {"schema", "program", "replay", "runs", "hung", "crashed", "seconds",
                           "findings", "tallies", "notes", "sure"}
    assert [one["state"] for one in result["findings"]] == STATES
    race = result["findings"][0]
    assert race["locations"][0] == {"function": "add", "file": "src/./counter.c", "line": 12}
    assert [stack["role"] for stack in race["stacks"]][2:] == \
        ["allocated by main thread", "thread T1 created by main thread"]
    assert result["tallies"][1] == {"detector": "asan", "schedule": "plain", "runs": 100, "hits": 3}
    assert result["findings"][2]["expires"] == "2030-01-31"
    odd = json.loads((reports / "odd.json").read_text())
    assert "\x1b[31m" in odd["program"] and "\ufffdw\u00e9x\u20ac\U0001f41b" in odd["program"]


@pytest.mark.parametrize("name", RESULTS)
def test_junit_counts(reports, name):
    text = (reports / f"{name}.xml").read_text(encoding="utf-8")
    assert not NO_CONTROLS.search(text)
    root = xml.etree.ElementTree.fromstring(text.encode())
    for one in [root, *root]:
        assert int(one.get("tests")) == len(list(one.iter("testcase")))
        assert int(one.get("failures")) == len(list(one.iter("failure")))
        assert int(one.get("skipped")) == len(list(one.iter("skipped")))
    assert len({suite.get("name") for suite in root}) == len(root)


def test_junit_outcomes(reports):
    suites = {suite.name: list(suite) for suite in
              junitparser.JUnitXml.fromfile(str(reports / "states.xml"))}
    assert list(suites) == ["tsan", "asan", "memcheck", "fanalyzer"]

    def outcomes(detector):
        return [[type(one).__name__ for one in case.result] for case in suites[detector]]
    assert outcomes("tsan") == [["Failure"], ["Skipped"], ["Failure"]]
    assert outcomes("asan") == [[], ["Failure"]]
    assert outcomes("memcheck") == [["Skipped"]]  # it made no run
    assert suites["tsan"][0].name == "data-race in add [0000000001234567]"
    assert suites["tsan"][0].result[0].message == "data race on 'counter'"
    assert "#0 src/counter.c:12 in add" in suites["tsan"][0].result[0].text
    assert suites["tsan"][1].result[0].message.endswith("no harm <&> (to 2030-01-31)")


def test_junit_passes_where_nothing_was_found(reports):
    suites = {suite.name: list(suite) for suite in
              junitparser.JUnitXml.fromfile(str(reports / "silent.xml"))}
    assert [case.name for case in suites["tsan"]] == ["nothing found"]
    assert suites["tsan"][0].is_passed
    assert suites["helgrind"][0].is_skipped


def parse_command(line):
    """A workflow command as GitHub's runner reads it: name, properties, message."""
    name, properties, message = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line).groups()
    found = {}
    for part in properties.split(","):
        key, value = part.split("=", 1)
        for code, plain in [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")]:
            value = value.replace(code, plain)
        found[key] = value
    return name, found, message


@pytest.mark.parametrize("name", RESULTS)
def test_annotations(reports, name):
    findings = json.loads((reports / f"{name}.json").read_text())["findings"]
    lines = (reports / f"{name}.annotations").read_text().split("\n")[:-1]
    shown = [one for one in findings if one["state"] != "suppressed"]
    assert len(lines) == len(shown)
    for line, finding in zip(lines, shown):
        assert not NO_CONTROLS.search(line)
        command, properties, _ = parse_command(line)
        assert command == ("error" if finding["state"] == "new" else "notice")
        assert re.sub("[\ufffd\t]", "", properties["title"]).replace(" ", "") == \
            re.sub("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\ufffd]", "", finding["kind"]).replace(" ", "")
        assert set(properties) <= {"file", "line", "title"}
    if name == "odd":
        file = parse_command(lines[0])[1]["file"]
        assert file.startswith("a\"b'c<d>&e%f,g:h|i`j*k_l\\m[n](o)$p\n")


class Balance(html.parser.HTMLParser):
    """Holds tags to their order."""

    def __init__(self):
        super().__init__()
        self.open, self.closed = [], 0

    def handle_starttag(self, tag, attrs):
        assert tag in {"details", "summary", "pre", "code", "br"} and not attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.closed += 1


@pytest.mark.parametrize("name", RESULTS)
def test_markdown(reports, name):
    text = (reports / f"{name}.md").read_text()
    findings = json.loads((reports / f"{name}.json").read_text())["findings"]
    assert not NO_CONTROLS.search(text)
    balance = Balance()
    balance.feed(text)
    assert balance.open == [] and text.count("\n<details><summary>") == len(findings)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == (len(findings) + 1 if findings else 0)
    assert all(row.count("|") == 5 for row in rows)
    if name == "states":
        assert "tailrace race --replay 8192000000515 -- build/prog" in text
        assert "How sure: something was found in 15 of 300 runs" in text


@pytest.mark.parametrize("name", RESULTS)
def test_text(reports, name):
    text = (reports / f"{name}.txt").read_text()
    assert not NO_CONTROLS.search(text)
    assert text.splitlines()[-1] == json.loads((reports / f"{name}.json").read_text())["sure"]
