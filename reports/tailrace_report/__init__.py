# SPDX-License-Identifier: MIT
"""Turns a result set (the folder that `tailrace bench` writes) into one self-contained page.

In the order of their dependence: `shape` and `resultset` read; `stats`, `text`, `style` and
`layout` compute; `cells` groups and `curves` picks; `noise` and `causes` say why a tail is as it
is, `theory` how far the harness is right; `paired` compares, `ranking` orders, `answer` says it in
words, `slo` up to which load; `figures` (with the other *_figure*, `forest`, `panels` and
`drawing`), `findings` and `rows` say what there is to see; `page` (with the *.html.j2 and
page.css) puts it together; `output` writes it. The format read is ../README.md.

A race matrix goes its own way between: `race_set` reads, `race_matrix` says what stands where,
`race_summary`, `race_panels`, `race_tables` and `race_figure` what there is to see, in the words of
`race_names`; `race_page` puts it together.
"""
