# SPDX-License-Identifier: MIT
"""`tailrace compare-heaps`: any program under several heaps, by preload, into a result set."""

import base64
import json
import os
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

PAIR = ["--heap", "glibc", "--heap", "jemalloc"]
TWO = [*PAIR, "--blocks", "2"]

# What it does is its first argument; it allocates in any case.
SOURCE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void tell_pid(const char *path) {
    FILE *file = fopen(path, "a");
    fprintf(file, "%d\n", (int)getpid());
    fclose(file);
}
int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "", *preload = getenv("LD_PRELOAD");
    void *volatile kept;
    for (int i = 0; i < 1000; i++) {
        kept = malloc(100);
        free(kept);
    }
    puts("not to be seen");
    if (strcmp(what, "fail") == 0) {
        fputs("first line\nit\tbroke\n", stderr);
        return 3;
    }
    if (strcmp(what, "fail-under") == 0 && preload && strstr(preload, argv[2]))
        abort();
    if (strcmp(what, "hang-under") == 0 && preload && strstr(preload, argv[2]))
        pause();
    if (strcmp(what, "say-preload") == 0) {
        FILE *file = fopen(argv[2], "a");
        fprintf(file, "%s\n", preload ? preload : "none");
        fclose(file);
    }
    if (strcmp(what, "hang") == 0 || strcmp(what, "leave") == 0) {
        if (fork() == 0) {
            tell_pid(argv[2]);
            pause();
        }
        while (access(argv[2], F_OK) != 0)
            usleep(1000);
        if (strcmp(what, "hang") == 0) {
            tell_pid(argv[2]);
            pause();
        }
    }
    return 0;
}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Builds SOURCE with more options; the program's path."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "work.c").write_text(SOURCE)

    def build(name, *options):
        subprocess.run(["gcc", "-w", "-fno-builtin", *options, folder / "work.c",
                        "-o", folder / name], check=True)
        return folder / name
    return build


@pytest.fixture(scope="module")
def work(built):
    """SOURCE as it is usually built."""
    return built("work")


def read_set(folder):
    """The manifest and the runs of a result set, each of which must be whole."""
    text = (folder / "runs.jsonl").read_text()
    assert text.endswith("\n")
    return (json.loads((folder / "manifest.json").read_text()),
            [json.loads(line) for line in text.splitlines()])


def by_heap(runs):
    """{heap: its runs}."""
    return {heap: [run for run in runs if run["heap"] == heap]
            for heap in dict.fromkeys(run["heap"] for run in runs)}


@pytest.fixture(scope="module")
def finished(program, work, tmp_path_factory):
    """A finished comparison, not to be changed: its folder, and how the command ended."""
    folder = tmp_path_factory.mktemp("compared") / "set"
    return folder, program("compare-heaps", *PAIR, "--blocks", "7", "--out", folder, "--", work)


def test_the_result_set(finished, work, promised):
    folder, done = finished
    assert done.status == 0 and done.sentences() == [], done
    assert "not to be seen" not in done.stdout + done.stderr
    manifest, runs = read_set(folder)
    assert promised["manifest"] - {"definition"} <= manifest.keys()
    assert manifest["blocks"] == 7 and manifest["context"]["end_time"]
    assert [cell["cell"] for cell in manifest["cells"]] == ["work/glibc", "work/jemalloc"]
    assert all(promised["manifest.cells[]"] <= cell.keys() for cell in manifest["cells"])
    assert manifest["program"]["arguments"] == [str(work)]
    assert 1000 <= manifest["program"]["heap_calls"] < 2000
    assert {(run["block"], run["cell"]) for run in runs} == {
        (block, f"work/{heap}") for block in range(7) for heap in ("glibc", "jemalloc")}
    assert {run["order"] for run in by_heap(runs)["glibc"]} == {0, 1}, "orders are random"
    for run in runs:
        assert run["status"] == "ok" and run["reason"] is None
        assert 0 < run["cpu_s"] and 0 < run["wall_s"] < 60
        assert run["rss_peak_bytes"] > 100_000 and run["faults_minor"] > 10
        name = "jemalloc" if run["heap"] == "jemalloc" else "libc.so"
        assert name in run["heap_library"]["path"] and run["heap_library"]["version"]


def test_the_tables(finished):
    _, done = finished
    assert done.stdout.startswith("work under 2 heaps, 7 blocks; ratios to glibc"), done
    for metric in ("wall", "cpu", "rss-peak", "faults"):
        table = re.search(rf"^{metric}: .*\n  glibc +\S+.* 1  reference\n  jemalloc +\S+.*"
                          r" \S+ \(\S+ to \S+\)  (worse|better|equivalent|inconclusive)$",
                          done.stdout, re.M)
        assert table, (metric, done)
        assert re.search(rf"{metric}: lowest under (glibc|jemalloc), ", done.stdout), done
    assert re.search(r"were called 1,\d\d\d times", done.stdout), done


def test_markdown(tailrace, work, tmp_path):
    done = tailrace("compare-heaps", *TWO, "--markdown", "--out", tmp_path / "set", "--", work)
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert len(rows) >= 1 + 2 * 4 and len({line.count(" | ") for line in rows}) == 1, done
    assert "7 are the fewest" in done.stdout


def test_other_commands_read_it(tailrace, finished, work):
    folder, _ = finished
    done = tailrace("compare", f"{folder}:heap=glibc", f"{folder}:heap=jemalloc",
                    "--metric", "wall")
    assert done.status == 0 and "wall" in done.stdout, done
    done = tailrace("compare-heaps", *TWO, "--out", folder, "--", work)
    assert "holds a result set already" in done.sentences()[0] and done.status == 2


def test_all_heaps_by_default(tailrace, work, tmp_path):
    done = tailrace("compare-heaps", "--blocks", "1", "--out", tmp_path / "set", "--", work)
    assert done.status == 0, done
    left_out = re.findall(r"^left out: the heap (\S+) is not installed", done.stderr, re.M)
    names = [heap["name"] for heap in tailrace.listed("heaps")]
    manifest, _ = read_set(tmp_path / "set")
    assert [cell["heap"] for cell in manifest["cells"]] == [
        name for name in names if name not in left_out]


def test_warm_up_is_not_recorded(tailrace, work, tmp_path):
    done = tailrace("compare-heaps", *PAIR, "--blocks", "1", "--warmup", "3", "--out",
                    tmp_path / "set", "--", work, "say-preload", tmp_path / "said")
    assert done.status == 0, done
    assert len(read_set(tmp_path / "set")[1]) == 2
    assert len((tmp_path / "said").read_text().splitlines()) == 2 * 3 + 1 + 2


def test_what_was_preloaded_stays_behind_the_heap(tailrace, work, tmp_path):
    libm = next(Path("/usr/lib").glob("*-linux-gnu/libm.so.6"))
    done = tailrace("compare-heaps", *PAIR, "--blocks", "1", "--out", tmp_path / "set", "--", work,
                    "say-preload", tmp_path / "said", env={"LD_PRELOAD": str(libm)})
    assert done.status == 0, done
    measured = (tmp_path / "said").read_text().splitlines()[-2:]
    assert sorted(len(line.split(":")) for line in measured) == [1, 2]
    assert all(line.endswith(str(libm)) for line in measured), measured


def test_a_heap_that_does_not_serve_is_unsupported(tailrace, work, tmp_path):
    """With jemalloc preloaded by the user, it serves where glibc is asked for."""
    cell = json.loads(tailrace("list", "heaps", "--json").stdout)
    assert {"jemalloc", "mimalloc"} <= {heap["name"] for heap in cell}
    library = next(Path("/usr/lib").glob("*-linux-gnu/libjemalloc.so.2"))
    done = tailrace("compare-heaps", *TWO, "--heap", "mimalloc", "--out", tmp_path / "set", "--",
                    work, env={"LD_PRELOAD": str(library)})
    assert done.status == 0 and "work under 2 heaps" in done.stdout, done
    assert re.search(r"Left out: +glibc: malloc comes from \S*jemalloc", done.stdout), done
    for run in by_heap(read_set(tmp_path / "set")[1])["glibc"]:
        assert run["status"] == "unsupported" and "jemalloc" in run["reason"]
        assert run["wall_s"] is None and run["rss_peak_bytes"] is None


REFUSED = {
    "no program": ([], "takes a program"),
    "missing in PATH": (["nosuch-program"], '"nosuch-program" in PATH'),
    "missing": (["/nosuch/program"], '"/nosuch/program"'),
    "a folder": (["/"], '"/"'),
    "an empty name": ([""], '""'),
    "one heap": (["--heap", "glibc", "--", "true"], "alone"),
    "a heap twice": ([*PAIR, "--heap", "glibc", "--", "true"], "twice"),
    "unknown heap": (["--heap", "nosuch", "--", "true"], '"nosuch"'),
    "no blocks": (["--blocks", "0", "--", "true"], "--blocks"),
    "half a block": (["--blocks", "1.5", "--", "true"], "whole"),
    "no warm-up": (["--warmup", "0", "--", "true"], "--warmup"),
    "unknown option": (["--jump", "--", "true"], "--jump"),
    "a log that is there": (["--hlog", "/dev/null", "--", "true"], "/dev/null"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_mistakes(tailrace, name):
    arguments, words = REFUSED[name]
    assert words in tailrace("compare-heaps", *arguments).only_sentence(2)


def hold_to_refusal(tailrace, folder, *arguments):
    """Status 2, one sentence after the lines of progress, nothing measured; the sentence."""
    done = tailrace("compare-heaps", *TWO, "--out", folder / "set", *arguments)
    assert done.status == 2 and done.stdout == "" and len(done.sentences()) == 1, done
    assert not (folder / "set").exists()
    return done.sentences()[0]


def test_a_static_program_is_refused(tailrace, built, tmp_path):
    static = built("static", "-static")
    assert "linked statically" in hold_to_refusal(tailrace, tmp_path, "--", static)


def test_a_program_with_its_own_malloc_is_refused(tailrace, built, tmp_path):
    (tmp_path / "own.c").write_text(
        "#include <stddef.h>\nstatic char pool[1 << 24] __attribute__((aligned(16)));\n"
        "static size_t used;\nvoid free(void *p) { (void)p; }\n"
        "void *malloc(size_t n) { void *p = pool + used; used += (n + 31) & ~15ul; return p; }\n"
        "void *calloc(size_t k, size_t n) { return malloc(k * n); }\n"
        "void *realloc(void *p, size_t n) { (void)p; return malloc(n); }\n")
    own = built("own", str(tmp_path / "own.c"))
    assert f"malloc comes from {own}" in hold_to_refusal(tailrace, tmp_path, "--", own)


def test_a_failing_program_is_refused(tailrace, work, tmp_path):
    told = hold_to_refusal(tailrace, tmp_path, "--", work, "fail")
    assert "every heap" in told and told.endswith("exit status 3: it?broke")


def test_a_heap_under_which_it_fails(tailrace, work, tmp_path):
    done = tailrace("compare-heaps", *PAIR, "--blocks", "8", "--out", tmp_path / "set", "--", work,
                    "fail-under", "jemalloc")
    assert done.status == 0, done
    runs = by_heap(read_set(tmp_path / "set")[1])
    assert {run["status"] for run in runs["glibc"]} == {"ok"}
    assert {run["status"] for run in runs["jemalloc"]} == {"crashed"}
    assert "signal 6" in runs["jemalloc"][0]["reason"]
    assert re.search(r"jemalloc +failed +∞ \(∞ to ∞\)  worse", done.stdout), done
    assert "8 of 8 runs under jemalloc" in done.stdout


def test_a_heap_under_which_it_hangs(tailrace, work, tmp_path):
    done = tailrace("compare-heaps", *PAIR, "--blocks", "1", "--timeout", "2", "--out",
                    tmp_path / "set", "--", work, "hang-under", "jemalloc")
    assert done.status == 0, done
    runs = by_heap(read_set(tmp_path / "set")[1])
    assert [run["status"] for run in runs["glibc"]] == ["ok"]
    assert [run["status"] for run in runs["jemalloc"]] == ["timeout"]
    assert "2 s" in runs["jemalloc"][0]["reason"]


def test_what_a_program_leaves_behind_is_ended(tailrace, work, tmp_path):
    done = tailrace("compare-heaps", *TWO, "--out", tmp_path / "set", "--", work, "leave",
                    tmp_path / "pids")
    assert done.status == 0, done
    pids = [int(line) for line in (tmp_path / "pids").read_text().split()]
    assert pids
    for pid in pids:
        tailrace.wait_for(lambda pid=pid: not tailrace.is_alive(pid), f"the end of {pid}")


def test_an_interrupt_before_anything_is_measured(tailrace, work, tmp_path):
    running = tailrace.start("compare-heaps", *TWO, "--out", tmp_path / "set", "--", work, "hang",
                             tmp_path / "pids")
    tailrace.wait_for(lambda: (tmp_path / "pids").exists()
                      and len((tmp_path / "pids").read_text().split()) == 2, "two processes")
    done = running.interrupt()
    assert done.only_sentence(130) == "tailrace: interrupted"
    assert not (tmp_path / "set").exists()
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        tailrace.wait_for(lambda pid=pid: not tailrace.is_alive(pid), f"the end of {pid}")


def test_an_interrupt_keeps_and_shows_what_is_measured(tailrace, work, tmp_path):
    running = tailrace.start("compare-heaps", *PAIR, "--blocks", "10000", "--out",
                             tmp_path / "set", "--", work)
    tailrace.wait_for(lambda: "measured 4/" in running.stderr(), "two blocks")
    done = running.interrupt()
    assert done.status == 130, done
    whole = int(re.search(r"interrupted after (\d+) whole blocks of 10000", done.stderr)[1])
    assert whole >= 2 and f"work under 2 heaps, {whole} of 10,000 blocks" in done.stdout
    manifest, runs = read_set(tmp_path / "set")
    assert manifest["context"]["end_time"] is None
    assert 2 * whole <= len(runs) <= 2 * whole + 1


@pytest.mark.parametrize("name", [b"with space", b"a'b\"c;$(d)&|*", b"new\nline\ttab",
                                  "näme-日本".encode(), b"not-\xff-utf8", b"-leading", b"a=b,c:d"])
def test_odd_names(tailrace, work, tmp_path, name):
    program = os.path.join(os.fsencode(tmp_path), name)
    shutil.copy(work, program)
    done = tailrace("compare-heaps", *TWO, "--out", tmp_path / "set", "--", os.fsdecode(program))
    assert done.status == 0 and done.sentences() == [], done
    shown = re.sub(rb"[\x00-\x1f]", b"?", name).replace(b"\xff", b"?").decode()
    assert done.stdout.startswith(f"{shown} under 2 heaps"), done
    assert {run["scenario"] for run in read_set(tmp_path / "set")[1]} == {shown}


def payload(counts):
    """A histogram of 3 digits as in a log; `counts` of the values 0, 1, … < 2048."""
    encoded = b"".join(bytes([2 * count]) for count in counts)
    header = struct.pack(">iiiiqqd", 0x1c849313, len(encoded), 0, 3, 1, 3_600_000_000_000, 1.0)
    packed = zlib.compress(header + encoded)
    return base64.b64encode(struct.pack(">ii", 0x1c849314, len(packed)) + packed).decode()


HEAD = "#[Histogram log format version 1.3]\n#[StartTime: 1700000000.000]\n"


def test_latency_from_a_log(tailrace, tmp_path):
    """`cp` is a program that writes one: two intervals, of the values 1 to 1,000 once each."""
    kept, log = tmp_path / "kept.hlog", tmp_path / "written.hlog"
    kept.write_text(HEAD + f"0.000,1.000,0.001,{payload([0] + [1] * 500)}\n"
                    f"1.000,1.000,0.001,{payload([0] * 501 + [1] * 500)}\n")
    done = tailrace("compare-heaps", *PAIR, "--blocks", "7", "--hlog", log, "--out",
                    tmp_path / "set", "--", "cp", kept, log)
    assert done.status == 0 and done.sentences() == [], done
    for metric, value in {"p50": 500, "p90": 900, "p99": 990}.items():
        mark = r"\*" if metric == "p99" else ""
        assert re.search(rf"^{metric}: .*\n  glibc +{value}\W+ns{mark} +1  reference\n"
                         rf"  jemalloc +{value}\W+ns{mark} +1\.000 .*equivalent$",
                         done.stdout, re.M), done
    assert not re.search(r"^p99\.9:", done.stdout, re.M), "too few samples"
    assert not log.exists()
    for run in read_set(tmp_path / "set")[1]:
        assert (tmp_path / "set" / run["hlog"]).read_bytes() == kept.read_bytes()


def test_a_program_that_writes_no_log(tailrace, work, tmp_path):
    told = hold_to_refusal(tailrace, tmp_path, "--hlog", tmp_path / "never.hlog", "--", work)
    assert "writes no HdrHistogram log" in told and "never.hlog" in told


def test_a_program_that_writes_something_else(tailrace, tmp_path):
    log = tmp_path / "log"
    told = hold_to_refusal(tailrace, tmp_path, "--hlog", log, "--", "cp", "/etc/passwd", log)
    assert "writes no HdrHistogram log" in told
    assert not log.exists()


def test_a_log_of_several_tags_is_told(tailrace, tmp_path):
    kept, log = tmp_path / "kept.hlog", tmp_path / "written.hlog"
    kept.write_text(HEAD + "".join(f"Tag={tag},0.000,1.000,0.001,{payload([0, 1])}\n"
                                   for tag in ("read", "write")))
    done = tailrace("compare-heaps", *TWO, "--hlog", log, "--out", tmp_path / "set", "--", "cp",
                    kept, log)
    assert done.status == 2 and "read, write" in done.sentences()[0], done


def test_a_full_disk(tailrace, work, small_disk):
    disk = small_disk(1 << 20)
    (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free - 3 * 4096))
    done = tailrace("compare-heaps", *PAIR, "--blocks", "30", "--out", disk / "set", "--", work)
    assert done.status == 2 and done.stdout == "" and len(done.sentences()) == 1, done
    assert re.search(r"/set/\S+: No space left on device", done.sentences()[0]), done
    assert not list((disk / "set").glob("*.part"))
    if (disk / "set" / "runs.jsonl").exists():
        assert (disk / "set" / "runs.jsonl").read_text().endswith(("\n", ""))
