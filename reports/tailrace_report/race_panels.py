# SPDX-License-Identifier: MIT
"""The numbers behind the cells of the race matrix: a panel per row and detector.

A detector with several schedules has a column of numbers for each. Lines in which nobody has a
number are left out.
"""

from markupsafe import escape

from .race_matrix import STATIC, bug, detector_name, false_positive, interval, rate, unmet
from .race_names import VERDICTS
from .race_summary import share
from .text import SPACE, duration, seconds

SAMPLE_BYTES = 4096  # of one report's text
SAMPLES_BYTES = 2_000_000  # of all of them: above that each is cut shorter
SAMPLE_BYTES_LEAST = 256
OUTCOMES = {"misplaced": "On other lines only", "oracle": "Check failed", "hangs": "Hung",
            "crashes": "Crashed"}
PLACES_MAX = 12  # lines that a report names; more are counted


def panels(matrix):
    """[{row, name, columns, lines, …}]: what is known of every row under every detector."""
    made, rust = [], set()
    for row in matrix.rows:
        for number in dict.fromkeys(column.number for column in matrix.columns):
            of = [(column, cell) for column, cell in zip(matrix.columns, row.cells)
                  if column.number == number]
            name = row.case["name"] if of[0][0].name == "rustc" else None
            if any(cell for _, cell in of) and name not in rust:
                made.append(panel(row, matrix, of))
                rust |= {name} - {None}  # a case has one twin in Rust, whatever its modes
    cut_samples(made)
    return made


def panel(row, matrix, of):
    """One panel: `of` are a detector's columns with the row's cells in them."""
    detector = of[0][0].detector
    cells = [cell for _, cell in of]
    first = next(one.number for one in matrix.rows if one.case is row.case)
    return {"id": f"{row.number}-{of[0][0].number}", "row": row, "first": first,
            "name": detector_name(detector["name"]), "what": detector.get("what"),
            "schedules": [column.schedule for column, _ in of],
            "verdicts": [cell["verdict"] if cell else "missing" for cell in cells],
            "lines": lines(cells, detector["name"]),
            "reasons": once(cell.get("reason") for cell in cells if cell),
            "unmet": any(unmet(row, matrix, cell) for cell in cells),
            "false": any(map(false_positive, cells)),
            "rust": next((cell["rust"] for cell in cells if cell and cell.get("rust")), None),
            "kinds": once(bug(cell).get("kind") for cell in cells),
            "message": next((bug(cell)["message"] for cell in cells if bug(cell).get("message")),
                            None),
            "places": places(cells), "sample": sample(of, "bug"), "twin": sample(of, "twin")}


def once(values):
    """The texts among `values`, each once, in their order."""
    return list(dict.fromkeys(value for value in values if value and isinstance(value, str)))


def lines(cells, detector):
    """[(title, [text per cell])] of the numbers, without lines that say nothing."""
    ran = [bug(cell) for cell in cells]
    twins = [(cell or {}).get("twin") or {} for cell in cells]
    made = []
    if detector not in STATIC:
        made += [("Reported rightly", [fraction(one.get("hits"), one.get("runs")) for one in ran]),
                 ("Share of runs", [share(rate(cell)) if rate(cell) is not None else None
                                    for cell in cells]),
                 ("95" + SPACE + "% interval",
                  [between(interval(cell)) if bug(cell).get("runs") else None for cell in cells])]
        made += [(title, [fraction(one.get(key) or None, one.get("runs")) for one in ran])
                 for key, title in OUTCOMES.items()]
        made += [("First report after", [milliseconds(one.get("first_report_ms")) for one in ran])]
    made += [("It takes" if detector in STATIC else "A run takes",
              [milliseconds(one.get("median_ms")) for one in ran])]
    if detector not in STATIC:
        made += [("Slowdown", [times(one.get("slowdown")) for one in ran]),
                 (f"Runs for 99.9{SPACE}%", [whole(one.get("runs_999")) for one in ran]),
                 (f"CPU for 99.9{SPACE}%", [None if one.get("cpu_s_999") is None
                                            else seconds(one["cpu_s_999"]) for one in ran]),
                 ("First seed", [whole(one.get("first_seed") or None, "") for one in ran])]
    made += [(title, [fraction(one.get(key) if key == "reports" else one.get(key) or None,
                               one.get("runs")) for one in twins])
             for key, title in (("reports", "Twin reported"), ("oracle", "Twin's check failed"),
                                ("hangs", "Twin hung"), ("crashes", "Twin crashed"))]
    return [(title, texts) for title, texts in made if any(text is not None for text in texts)]


def fraction(part, of):
    """ "3/30", or None where it is not known."""
    return None if part is None or not of else f"{part:,}/{of:,}"


def between(ends):
    """An interval of shares as text."""
    low, high = ends
    return f"{share(low).replace(SPACE + '%', '')}–{share(high)}"


def milliseconds(value):
    """Milliseconds as a duration, None where not known."""
    return None if value is None else duration(value * 1e6)


def times(ratio):
    """A slowdown as "7.6×"."""
    return None if ratio is None else f"{ratio:.3g}×"


def whole(number, comma=","):
    """A whole number with `comma` between thousands, None where not known."""
    return None if number is None else f"{number:{comma}.0f}"


def places(cells):
    """The lines that the first cell with any names: [(text, function, marked)], and how many more.
    """
    found = next((bug(cell)["where"] for cell in cells if bug(cell).get("where")), [])
    told = [(f"{at.get('file') or '?'}:{at.get('line') or '?'}", at.get("function"),
             bool(at.get("marked"))) for at in found]
    told = list(dict.fromkeys(told))
    return told[:PLACES_MAX], max(0, len(told) - PLACES_MAX)


def sample(of, key):
    """The first report's text among cells, of the bug or its twin: {text, schedule} or None."""
    first = sorted(of, key=lambda one: (one[1] or {}).get("verdict") != "detected")
    for column, cell in first:
        text = ((cell or {}).get(key) or {}).get("sample")
        if text and isinstance(text, str):
            return {"text": text.strip("\n"), "schedule": column.schedule, "cut": False}
    return None


def cut_samples(made):
    """Cut every sample to SAMPLE_BYTES, or to what leaves all of them in SAMPLES_BYTES as HTML."""
    found = [one[key] for one in made for key in ("sample", "twin") if one[key]]
    limit = SAMPLE_BYTES
    while (limit > SAMPLE_BYTES_LEAST
           and sum(len(escape(cut(one["text"], limit)).encode()) for one in found) > SAMPLES_BYTES):
        limit //= 2
    for one in found:
        short = cut(one["text"], limit)
        one.update(text=short, cut=len(short) < len(one["text"]))


def cut(text, limit):
    """The first `limit` bytes of a text, whole characters."""
    return text.encode()[:limit].decode(errors="ignore")


def cell_text(column, cell, row, matrix):
    """How a cell of the matrix reads and looks: symbol, share, tooltip, marks."""
    word = cell["verdict"] if cell else "missing"
    if not cell and not column.detector.get("available", True):
        word = "not run"
    verdict, part = VERDICTS[word], rate(cell)
    partial = word == "detected" and column.name not in STATIC and part is not None and part < 1
    marks = {"unmet": unmet(row, matrix, cell), "false": false_positive(cell)}
    return {"symbol": verdict.symbol, "look": verdict.look + (depth(part) if partial else ""),
            "share": share(part).replace(SPACE, "") if partial else None, **marks,
            "title": title(column, word, cell if partial else None, marks),
            "href": f"p{row.number}-{column.number}-{column.place}" if cell else None}


def depth(part):
    """How strong the colour of a share is."""
    return " half" if part >= 0.5 else " some" if part >= 0.05 else " rare"


def title(column, word, cell, marks):
    """The tooltip of a cell; `cell` where not all of its runs reported."""
    told = [detector_name(column.name) + (f" {column.schedule}" if column.schedule else ""), word]
    if cell:
        told.append(f"{fraction(bug(cell).get('hits'), bug(cell)['runs'])} runs")
    told += ["expected, not seen"] * marks["unmet"] + ["twin reported"] * marks["false"]
    return ", ".join(told)
