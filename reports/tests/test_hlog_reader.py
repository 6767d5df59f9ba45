# SPDX-License-Identifier: MIT
"""hlog.py finds in HdrHistogram's logs what was written, and says what it cannot read."""

import base64
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from tailrace_report import hlog
from tailrace_report.resultset import ReportError

JARS = [Path("/usr/share/java") / name for name in ("hdrhistogram.jar", "HdrHistogram.jar")]
WRITER = Path(__file__).with_name("HlogWrite.java")
HEAD = ("#[Histogram log format version 1.3]\n"
        "#[StartTime: 1000000000.500 (seconds since epoch), x]\n")


def encoded(payload, digits=2, lowest=1, cookie=0x1c849313, packed_cookie=0x1c849314):
    """A histogram with these counts, encoded."""
    plain = struct.pack(">iiiiqqd", cookie, len(payload), 0, digits, lowest, 1 << 37, 1) + payload
    packed = zlib.compress(plain)
    return base64.b64encode(struct.pack(">ii", packed_cookie, len(packed)) + packed).decode()


def log_of(tmp_path, *lines):
    """A log with these lines after the header."""
    path = tmp_path / "log"
    path.write_text(HEAD + "".join(lines))
    return path


ONE = encoded(bytes([9, 6]))  # five zeros, then a count of 3


def test_logs_that_java_wrote(tmp_path):
    jar = next((jar for jar in JARS if jar.exists()), None)
    if not jar or not shutil.which("javac"):
        pytest.skip("HdrHistogram for Java is not here: install default-jdk-headless and "
                    "libhdrhistogram-java")
    done = subprocess.run(["java", "-cp", jar, WRITER, tmp_path], capture_output=True, text=True,
                          check=True)
    written, name = {}, None
    for words in map(str.split, done.stdout.splitlines()):
        if words[0] == "log":
            name = words[1]
        elif words[0] == "line":
            tag = None if words[1] == "null" else words[1]
            written.setdefault(name, []).append((tag, float(words[2]), float(words[3]), {}))
        else:
            written[name][-1][3][int(words[1])] = int(words[2])
    assert sorted(written) == ["based", "coarse", "untagged"]
    for name, lines in written.items():
        log = hlog.read_log(tmp_path / name)
        assert not log.torn and log.runs == [] and log.start_s == 1700000000.123
        found = [(one.tag, one.start_s, one.length_s, one.counts) for one in log.intervals]
        assert [one[3] for one in found] == [one[3] for one in lines], name
        for mine, theirs in zip(found, lines):
            assert mine[0] == theirs[0] and mine[1:3] == pytest.approx(theirs[1:3], abs=1e-3)


def test_runs_tags_and_times_are_those_of_the_log(tmp_path):
    log = hlog.read_log(log_of(
        tmp_path, "#[Run: block 4, status ok]\n", f"Tag=a/b,0.25,0.5,0.000,{ONE}\r\n",
        f"Tag=a/b,0.75,0.5,0.000,{ONE}\n", "#[Run: block 5, status crashed]\n", "\n",
        f"2.5,0.5,0.000,{ONE}\n"))
    assert log.runs == [(4, "ok"), (5, "crashed")] and log.start_s == 1000000000.5
    assert [(one.tag, one.block, one.status, one.start_s, one.length_s) for one in log.intervals
            ] == [("a/b", 4, "ok", 1000000000.75, 0.5), ("a/b", 4, "ok", 1000000001.25, 0.5),
                  (None, 5, "crashed", 1000000003.0, 0.5)]
    assert hlog.add_up(log.intervals) == {5: 9}


def test_a_torn_last_line_is_ignored_and_told(tmp_path):
    line = f"Tag=a,0,1,0.000,{ONE}\n"
    for cut in range(1, len(line) - 1):
        log = hlog.read_log(log_of(tmp_path, line, line[:-1 - cut]))
        assert len(log.intervals) == 1 and log.torn == (cut < len(line) - 1), cut
    assert not hlog.read_log(log_of(tmp_path, line, line[:-1])).torn


@pytest.mark.parametrize("line, words", [
    ("not a log", "1 fields"), (f"0,1,{ONE}", "3 fields"), (f"x,1,0,{ONE}", "line 3"),
    (f"0,inf,0,{ONE}", "not finite"), ("0,1,0,????", "line 3"), ("0,1,0,AAAA", "too short"),
    (f"0,1,0,{encoded(b'', packed_cookie=0x1c849302)}", "V2"),
    (f"0,1,0,{encoded(b'', packed_cookie=0x0c72124f)}", "whole numbers"),
    (f"0,1,0,{encoded(b'', cookie=0x1c849301)}", "V2"),
    (f"0,1,0,{encoded(b'', digits=6)}", "V2"), (f"0,1,0,{encoded(b'', lowest=0)}", "V2"),
    (f"0,1,0,{encoded(bytes([0x80]))}", "cut off"),
    (f"0,1,0,{encoded(bytes([0xff] * 8 + [0xff, 2]))}", "63 bits"),
    (f"0,1,0,{base64.b64encode(struct.pack('>ii', 0x1c849314, 4) + b'abcd').decode()}",
     "decompressed"),
    (f"0,1,0,{ONE[:8] + ONE[12:]}", "line 3"),
    ("#[StartTime: 1e999 (seconds)]", "no time")])
def test_what_cannot_be_read_is_told_by_line(tmp_path, line, words):
    with pytest.raises(ReportError) as error:
        hlog.read_log(log_of(tmp_path, f"{line}\n", f"0,1,0,{ONE}\n"))
    assert words in str(error.value) and "line 3" in str(error.value)


def test_a_bomb_is_no_histogram(tmp_path):
    packed = zlib.compress(bytes(200 << 20), 1)
    payload = base64.b64encode(struct.pack(">ii", 0x1c849314, len(packed)) + packed).decode()
    with pytest.raises(ReportError):
        hlog.read_log(log_of(tmp_path, f"0,1,0,{payload}\n"))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ReportError, match="cannot be read: No such file"):
        hlog.read_log(tmp_path / "missing")


def test_quantiles_are_the_harness_s():
    counts = {10: 500, 20: 490, 30: 9, 40: 1}
    assert [hlog.quantile(counts, p) for p in (0, 0.5, 0.501, 0.99, 0.999, 1)
            ] == [10, 10, 20, 20, 30, 40]
    assert hlog.quantile({}, 0.5) is None
    found = hlog.summary(counts)
    assert (found["p50"], found["p99"], found["p99_9"], found["max"]) == (10, 20, None, 40)
    assert found["low_samples"] == ["p99"] and found["count"] == 1000
    assert found["mean"] == pytest.approx(15.11)
    assert hlog.summary({})["p50"] is None and hlog.summary({})["mean"] is None
