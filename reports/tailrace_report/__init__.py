# SPDX-License-Identifier: MIT
"""Turns a result set (the folder that `tailrace bench` writes) into one self-contained page.

In the order of their dependence: `shape` and `resultset` read; `stats`, `text`, `style` and
`layout` compute; `cells` groups and `curves` picks; `noise` and `causes` say why a tail is as it
is, `theory` how far the harness is right; `figures` (with `cause_figure`, `curve_figures` and
`drawing`), `findings` and `rows` say what there is to see; `page` (with the *.html.j2 and
page.css) puts it together; `output` writes it. The format read is ../README.md.
"""
