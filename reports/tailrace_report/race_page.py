# SPDX-License-Identifier: MIT
"""Builds the files of a race matrix's report: the page, and its figure as PNG and SVG."""

from markupsafe import Markup, escape

from .cells import tuning
from .page import CONTEXT, environment
from .race_figure import rare_rows, schedules_figure
from .race_matrix import build_matrix, by_case, detector_name, rust_of
from .race_names import CLASSES, DETECTORS, FALSE_POSITIVE, LETTERS, MODES, RUST, UNMET, VERDICTS
from .race_panels import cell_text, panels
from .race_summary import problems, summary, unmet_expectations
from .race_tables import detectors, gains, slowdowns
from .rendering import rendered
from .svg import colors_of, inlined
from .theme import define

FIGURE = "schedules"
PREVENTED = ("rejects", "panics", "cannot say")
HALVES = ((True, "What Rust prevents", "its compiler rejects it, it panics, or safe Rust cannot "
           "say it"), (False, "What Rust does not prevent", "it compiles and shows the fault"))


def build_report(race_set):
    """{file name: bytes} of the whole report, index.html last."""
    matrix = build_matrix(race_set)
    files, image = {}, None
    figure = schedules_figure(matrix)
    if figure:
        files = {f"{FIGURE}.{kind}": rendered(figure, kind) for kind in ("png", "svg")}
        image = {"svg": Markup(inlined(files[f"{FIGURE}.svg"], FIGURE)), "name": FIGURE,
                 **words_of_figure(len(rare_rows(matrix)))}
    files["index.html"] = render(race_set, matrix, image).encode(errors="replace")
    return files


def render(race_set, matrix, image):
    """The HTML text."""
    manifest = race_set.manifest
    made = panels(matrix)
    return race_environment().get_template("race.html.j2").render(
        **matrix_parts(race_set, matrix), manifest=manifest, panels=made, looks=VERDICTS,
        cases=cases(matrix, made), modes=MODES, image=image, gains=gains(matrix),
        colors=Markup(define(colors_of(image["svg"]) if image else ())),
        unmet=[{"row": row, "missed": [(detector_name(name), panel_of(matrix, row, name))
                                       for name in names]}
               for row, names in unmet_expectations(matrix)],
        slowdowns=slowdowns(matrix), detectors=detectors(matrix), context=context(manifest),
        several=several)


def matrix_parts(race_set, matrix):
    """What the matrix itself, its legend and what is said of it are shown by."""
    unavailable = [one for one in race_set.manifest["detectors"] if not one.get("available", True)]
    return {"problems": problems(race_set, matrix), "summary": summary(matrix),
            "halves": halves(matrix), "head": head(matrix), "columns": matrix.columns,
            "verdicts": used(matrix, bool(unavailable)), "marks": (UNMET, FALSE_POSITIVE),
            "rust_looks": RUST}


def section(race_set):
    """The matrix as part of another page: a title, sentences, the table, its legend."""
    return Markup(race_environment().get_template("race_section.html.j2").render(
        **matrix_parts(race_set, build_matrix(race_set))))


def race_environment():
    """Where the matrix is rendered."""
    made = environment()
    made.filters["unbroken"] = unbroken
    return made


def words_of_figure(rows):
    """Caption and alternative text of the figure of so many rows."""
    shown = ("Share of runs in which TSan reports a case on the marked lines, by schedule, with "
             f"Wilson's 95\u00a0% intervals: the {rows} that plain runs (hollow) show in under "
             "5\u00a0% and some schedule shows at all.")
    return {"caption": shown, "alt": shown, "reading": None}


def unbroken(text):
    """A sentence as HTML in which no detector's name is broken at its hyphens."""
    text = str(escape(text))
    for name in DETECTORS.values():
        if "-" in name:
            text = text.replace(name, f'<span class="nowrap">{name}</span>')
    return Markup(text)


def several(row):
    """Whether a row's case has other modes."""
    return len(row.case.get("modes") or []) > 1


def panel_of(matrix, row, name):
    """The panel of a row under a detector."""
    return f"p{row.number}-{next(c.number for c in matrix.columns if c.name == name)}-0"


def context(manifest):
    """{title: text} of how the matrix came about."""
    return {CONTEXT.get(key, key): tuning(value) if isinstance(value, dict) else value
            for key, value in (manifest.get("context") or {}).items()}


def head(matrix):
    """The two header rows: [{name, what, ran, schedules}] per detector."""
    made = []
    for column in matrix.columns:
        if not made or made[-1]["number"] != column.number:
            made.append({"number": column.number, "name": detector_name(column.name),
                         "what": column.detector.get("what") or "", "schedules": [],
                         "ran": column.detector.get("available", True)})
        made[-1]["schedules"].append(column.schedule)
    return made


def halves(matrix):
    """[{title, what, classes: [{name, rows}]}]: the body of the matrix, what Rust prevents first.
    """
    made = []
    grouped = by_case(matrix)
    words = {name: rust_of(rows, matrix)[0] for name, rows in grouped.items()}
    order = [*CLASSES, *dict.fromkeys(row.case["class"] for row in matrix.rows)]
    for prevented, title, what in HALVES:
        inside = {name: rows for name, rows in grouped.items()
                  if (words[name] in PREVENTED) == prevented}
        classes = [{"name": CLASSES.get(group, group), "rows": [
            body_row(row, place, rows, matrix) for rows in inside.values()
            if rows[0].case["class"] == group for place, row in enumerate(rows)]}
            for group in dict.fromkeys(order)]
        classes = [group for group in classes if group["rows"]]
        if classes:
            made.append({"title": title, "what": what, "count": len(inside), "classes": classes})
    return made


def body_row(row, place, rows, matrix):
    """One row of the body; Rust's cell spans the modes and so stands in the first only."""
    pairs = [(column, cell) for column, cell in zip(matrix.columns, row.cells)]
    return {"row": row, "first": place == 0, "span": len(rows),
            "cells": [{**(rust_cell(column, rows, matrix) if column.name == "rustc"
                          else cell_text(column, cell, row, matrix)),
                       "rust": column.name == "rustc", "edge": column.place == 0}
                      for column, cell in pairs if column.name != "rustc" or place == 0]}


def rust_cell(column, rows, matrix):
    """What stands in Rust's column."""
    word, detail, measured, agrees = rust_of(rows, matrix)
    look = RUST.get(word, RUST[""])
    found = next((row for row in rows if matrix.of(row, "rustc")), None)
    told = f"Rust: {word} {detail}".strip() if word else "Rust: not recorded"
    return {"symbol": look.symbol, "look": look.look + ("" if measured else " unmeasured"),
            "share": detail if word == "rejects" and detail else word or None,
            "unmet": not agrees, "false": False,
            "title": told + ("" if measured else " (as the case says, not run)")
            + ("" if agrees else ", otherwise than the case says"),
            "href": f"p{found.number}-{column.number}-0" if found else None}


def used(matrix, unavailable):
    """The verdicts that occur, with how they look: for the legend."""
    seen = {cell["verdict"] for row in matrix.rows for cell in row.cells if cell}
    seen |= {"not run"} if unavailable else set()
    seen |= {"missing"} if matrix.missing else set()
    return {word: verdict for word, verdict in VERDICTS.items() if word in seen}


def cases(matrix, made):
    """What is known of each case, for the panel behind its name."""
    told = []
    for name, rows in by_case(matrix).items():
        case = rows[0].case
        sees = [LETTERS.get(letter, letter) for letter in str(case.get("sees") or "")]
        told.append({"number": rows[0].number, "name": name, "what": case.get("what"),
                     "class": CLASSES.get(case["class"], case["class"]), "file": case.get("file"),
                     "sees": sees, "rust": case.get("rust"),
                     "rows": [(row, *told_and_silent(row, made)) for row in rows]})
    return told


def told_and_silent(row, made):
    """The panels of a row: those with something to tell, and those with nothing."""
    own = [one for one in made if one["row"] is row]
    silent = [one for one in own if set(one["verdicts"]) == {"silent"} and not one["rust"]]
    return [one for one in own if one not in silent], silent
