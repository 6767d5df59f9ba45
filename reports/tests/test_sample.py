# SPDX-License-Identifier: MIT
"""The sample result set is whole, and README.md's chart is drawn from it."""

import json
import re
from pathlib import Path

from tailrace_report.cells import scenarios
from tailrace_report.page import build_report
from tailrace_report.resultset import read_result_set

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = REPOSITORY / "reports" / "sample"


def test_sample_is_what_the_readme_shows():
    result_set = read_result_set(SAMPLE)
    assert result_set.manifest["suite"] == "standard" and not result_set.torn
    for cells in scenarios(result_set).values():
        assert all(len(cell.runs) == result_set.manifest["blocks"] for cell in cells)
    chart = "percentiles-read-states.png"
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"!\[[^\]]+\]\(reports/sample/{chart}\)", readme)
    files = build_report(result_set)
    assert chart in files and (SAMPLE / chart).stat().st_size > 10000
    page = files["index.html"].decode()
    for scenario in result_set.manifest["scenarios"]:
        kept = any(cell["scenario"] == scenario for cell in result_set.manifest["cells"])
        assert (f"<h2>{scenario}</h2>" in page) == kept, scenario
    assert json.dumps(result_set.manifest["context"]["command"]).count("bench standard") == 1
