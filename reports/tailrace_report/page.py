# SPDX-License-Identifier: MIT
"""Builds the report's files: figures as PNG and SVG, and the page with the SVG inlined."""

import json
from functools import partial
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from . import findings, rows
from .again import again
from .alt import alternative, overview_words
from .answer import answers
from .causes import cause_section
from .cells import scenarios
from .curves import headline
from .figures import figures
from .noise import noise_rows
from .overview_figure import overview
from .pauses import pause_rows
from .rendering import draw_all, file_names
from .slo import slo_ns, slo_sentences
from .svg import colors_of
from .text import SPACE, Quantity, tuning
from .theme import define, themed
from .theory import theory_section

CAPTIONS = {
    "overview": "Each cell's tail as a multiple of the lowest of its scenario, by family of "
                "strategies; medians of ratios paired by block, with 98 % intervals where each "
                "cell has its own line.",
    "forest": "Ratios to the cell named below, paired by block: the estimate (Hodges-Lehmann), in "
              "parentheses its 98 % interval, and what they say. Grey: differences of no matter. "
              "better and worse: the interval leaves out 1 and the estimate lies beyond the grey "
              "band; equivalent: the interval lies inside it; inconclusive: neither.",
    "pareto": "Peak memory against tail latency: medians over runs, thin lines from the lowest to "
              "the highest run that is ok. The line and the outlined marks are the front: what no "
              "other cell beats in both, the null control aside.",
    "heat": "Longest response of the requests due in each interval: a row per run in the order of "
            "blocks, a panel per cell, one scale for all. White: no request was due.",
    "percentiles": "Response time by percentile. Thin lines are single runs, bold lines the "
                   "median over runs; curves end where fewer than 10 samples lie beyond. "
                   "Grey with a dotted edge, where it was measured: the noise floor, from its "
                   "lowest to its highest over the cells.",
    "causes": "Response time as measured, and as it would be without each cause that lowers "
              "p99 or p99.9 by 2 % or more; medians over runs. A thick line is what all known "
              "causes together make.",
    "intervals": "Longest response of the requests due in each interval, from one run per cell: "
                 "the one whose p99.9 (if blank, the next lower quantile that is not) is the "
                 "median. Shaded: pauses, drawn at least a hairline wide. All panels share "
                 "their axes.",
    "memory": "Resident memory of the same runs, from set-up to the end. Phase boundaries are "
              "medians over these runs.",
    "pauses": "Collector pauses against the live data, as the scenario itself counts it. Filled: "
              "the median pause (median over runs); pale and hollow above it: the longest of all "
              "runs. Lines at the same live set stand side by side.",
    "load": "Response time against offered load, medians over runs. Points of the same load "
            "stand side by side; below a load, the rate offered if all have the same. "
            "In the band at the top, hollow: half of the runs or more failed.",
    "budget": "Response time against the memory that a cell may use, medians over runs. Points of "
              "the same multiple stand side by side; none: no budget. In the band at the top, "
              "hollow: half of the runs or more failed, such as by running out of memory.",
    "live": "Response time against the live data, medians over runs. In the band at the top, "
            "hollow: half of the runs or more failed.",
}
CONTEXT = {
    "seed": "Seed", "command": "Command", "commit": "Commit", "cpu_model": "Processor",
    "cores": "Cores",
    "kernel": "Kernel", "governor": "Frequency governor", "thp": "Transparent huge pages",
    "aslr": "Address randomisation", "libc": "C library", "compiler": "Compiler",
    "flags": "Compiler flags", "load_average": "Load average", "start_time": "Started",
    "end_time": "Ended", "clock": "Clock", "clock_quantum_ns": "Clock quantum (ns)",
    "clock_cost_ns": "Cost of reading the clock (ns)"}


def build_report(result_set, race=""):
    """{file name: bytes} of the whole report, index.html last; `race`: a section's HTML."""
    manifest, grouped = result_set.manifest, scenarios(result_set)
    leading = {scenario: headline(cells) for scenario, cells in grouped.items()}
    words = answers(leading)
    drawn, files = drawings(manifest, grouped, leading), {}
    for figure in (figure for some in drawn.values() for figure in some.values()):
        files[f"{figure.name}.png"], files[f"{figure.name}.svg"] = figure.png, figure.svg
    sections = [section(manifest, scenario, cells, leading[scenario], words.get(scenario, []),
                        images(drawn[scenario], lambda what: alternative(
                            what, scenario, leading[scenario], cells)))
                for scenario, cells in grouped.items()]
    first = answer(words, images(drawn[None], lambda what: overview_words(leading)))
    files["index.html"] = render_page(result_set, grouped, sections, first, race).encode()
    return files


def drawings(manifest, grouped, leading):
    """{scenario: {what it shows: Drawn}}; None is that over all of them."""
    tasks = [(ending, partial(figures, leading[scenario], cells, slo_ns(manifest)))
             for ending, (scenario, cells) in zip(file_names(grouped), grouped.items())]
    drawn = draw_all([*tasks, ("", partial(overview_only, leading))])
    return dict(zip((*grouped, None), drawn))


def overview_only(leading):
    """{what it shows: Figure} of the first screen."""
    figure = overview(leading)
    return {"overview": figure} if figure else {}


def images(drawn, alt):
    """{what it shows: what the page needs of it} of Drawn figures; `alt(what)` is said of each."""
    return {what: {"name": figure.name, "svg": Markup(figure.inline), "caption": CAPTIONS[what],
                   "alt": alt(what), "reading": figure.reading and {**figure.reading, "curves": [
                       {**curve, "color": themed(curve["color"])}
                       for curve in figure.reading["curves"]]}}
            for what, figure in drawn.items()}


def used_colors(grouped, images):
    """The colours ("#rrggbb") of all cells and figures; `images` as images() gives them."""
    styles = {cell.style.color for cells in grouped.values() for cell in cells}
    return styles.union(*(colors_of(image["svg"]) for some in images for image in some.values()))


def answer(words, shown):
    """The first screen: `sentences`, an `image` or None, and a line on `each` of many scenarios."""
    each = [" ".join(found) for scenario, found in words.items() if scenario is not None]
    return {"sentences": words.get(None, each), "each": each if None in words else [],
            "image": shown.get("overview"), "images": shown}


def section(manifest, scenario, cells, first, words, shown):
    """What the page says of one scenario; `first` are its headline cells."""
    return {"name": scenario, "about": about(manifest, cells), "answer": words,
            "facts": rows.facts(first, manifest), "headline": rows.headline(first),
            "others": len(cells) - len(first), "images": shown,
            "notes": {"load": slo_sentences(cells, slo_ns(manifest))},
            "causes": cause_section(first), "pauses": pause_rows(cells),
            "noise": noise_rows(first), "load": rows.load_table(cells),
            "budget": rows.budget_table(cells), "live": rows.live_table(cells),
            "smallest": rows.smallest(manifest, scenario, cells)}


def about(manifest, cells):
    """What the manifest says of the scenario of these cells, paragraph by paragraph, or None."""
    known = (manifest.get("scenarios") or {}).get(cells[0].spec["scenario"])
    if not known:
        return None
    params = cells[0].spec.get("params") or {}
    return {"what": known["what"], "paragraphs": known["description"].split("\n\n"),
            "source": known["source"], "needs": ", ".join(known["needs"]) or "nothing",
            "live_unit": known["live_unit"],
            "params": [{**one, "value": params.get(one["name"])} for one in known["params"]]}


def render_page(result_set, grouped, sections, first_screen, race):
    """The HTML text."""
    manifest = result_set.manifest
    context = {CONTEXT.get(key, key): tuning(value) if isinstance(value, (list, dict)) else value
               for key, value in {**manifest["context"], "seed": manifest.get("seed")}.items()}
    return environment().get_template("page.html.j2").render(
        manifest=manifest, answer=first_screen,
        coverage=findings.coverage(result_set, grouped), problems=findings.problems(grouped),
        stamps=findings.stamps(grouped), sections=sections, columns=rows.columns(),
        calibration=rows.calibration(manifest, grouped), checksums=findings.checksums(grouped),
        heaps=rows.heaps(grouped), context=context, again=again(manifest), race=race,
        colors=Markup(define(used_colors(
            grouped, [*(s["images"] for s in sections), first_screen["images"]]))),
        theory=theory_section(manifest))


def environment():
    """Where pages are rendered."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True,
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters.update(FILTERS)
    return made


def number(text):
    """A Quantity or text as HTML, its range over runs below it; None: a dash.

    Its unit stands in a column of its own so that digits align; page.js sorts by its value.
    """
    if text is None:
        return Markup('<span class="none">—</span>')
    digits, _, unit = map(escape, text.partition(SPACE))
    shown = digits + Markup('<span class="unit">{}</span>').format(unit)
    if isinstance(text, Quantity):
        shown = Markup('<data value="{:.6g}">{}</data>').format(text.value, shown)
        if text.range:
            shown += Markup("<small>{}</small>").format(text.range)
    return shown


def json_in_script(value):
    """`value` as JSON that ends no script element."""
    return Markup(json.dumps(value, separators=(",", ":")).replace("<", "\\u003c"))


def breakable(name):
    """A name as HTML that may be broken after its underscores."""
    return Markup("_<wbr>").join(str(name).split("_"))


FILTERS = {"number": number, "themed": themed, "json": json_in_script, "breakable": breakable,
           "capitalize_first": lambda text: text[:1].upper() + text[1:]}
