# SPDX-License-Identifier: MIT
"""Turns a result set (the folder that `tailrace bench` writes) into one self-contained page.

In the order of their dependence: `shape` and `resultset` read; `stats`, `text`, `style` and
`layout` compute; `cells` groups; `figures`, `findings` and `rows` say what there is to see;
`page` (with page.html.j2 and page.css) puts it together; `output` writes it. The format read is
../README.md.
"""
