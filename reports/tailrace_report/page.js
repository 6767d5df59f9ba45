// SPDX-License-Identifier: MIT
// What the page does beyond being read: its theme, tables that sort and filter, values along the
// percentile curves. Without script the page is whole; all controls are made here.
"use strict";
(() => {
  const UNITS = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];
  const ROWS_TO_FILTER = 9;
  const root = document.documentElement;

  /** An element with attributes (functions are listeners) and children. */
  const make = (name, attributes = {}, ...children) => {
    const svg = ["line", "circle", "g"].includes(name) && "http://www.w3.org/2000/svg";
    const made = svg ? document.createElementNS(svg, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (typeof value === "function") made.addEventListener(key, value);
      else made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  };

  /** The theme is kept where the browser allows it; a file on disk may not be allowed to. */
  const kept = (theme) => {
    try {
      if (theme) localStorage.setItem("tailrace-theme", theme);
      return localStorage.getItem("tailrace-theme");
    } catch {
      return null;
    }
  };
  const isDark = () => root.dataset.theme
    ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

  const addThemeButton = () => {
    const button = make("button", { type: "button", class: "theme", click: () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      kept(root.dataset.theme);
      tell();
    } }, "Dark");
    const tell = () => button.setAttribute("aria-pressed", isDark());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
    tell();
    document.querySelector("header").prepend(button);
  };

  /** What a table's cell sorts by: a number, a text, or null for a dash; ∞ is the greatest number. */
  const valueOf = (cell, isNumber) => {
    const text = cell.textContent.trim();
    const data = cell.querySelector("data");
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    if (!isNumber) return text;
    const number = data ? Number(data.value) : parseFloat(text.replace(/[,~]/g, ""));
    return Number.isNaN(number) ? null : number;
  };

  /** The cell of a row in a column, counting what cells span. */
  const cellAt = (row, column) => {
    let at = 0;
    return [...row.cells].find((cell) => (at += cell.colSpan) > column);
  };

  const compare = (a, b) => typeof a === "string" && typeof b === "string"
    ? a.localeCompare(b, "en", { numeric: true }) : a === b ? 0 : a < b ? -1 : 1;

  /** The header of each column: of those above each other the lowest that spans no other. */
  const columnHeads = (table) => {
    const grid = [];
    [...table.tHead.rows].forEach((row, y) => {
      let x = 0;
      for (const cell of row.cells) {
        while (grid[y]?.[x]) x++;
        for (let i = 0; i < cell.rowSpan; i++)
          for (let k = 0; k < cell.colSpan; k++) (grid[y + i] ??= [])[x + k] = cell;
      }
    });
    return grid.at(-1) ?? [];
  };

  /** Sort the rows of each body by a column: "ascending", "descending" or as they were (null). */
  const sortBy = (table, column, order, isNumber) => {
    for (const body of table.tBodies) {
      const rows = [...body.rows];
      rows.forEach((row, place) => row.dataset.place ??= place);
      const keyed = rows.map((row) => ({ row, place: Number(row.dataset.place),
        value: order && valueOf(cellAt(row, column), isNumber) }));
      keyed.sort((a, b) => {
        if (!order || a.value === b.value) return a.place - b.place;
        if (a.value === null || b.value === null) return a.value === null ? 1 : -1;
        return compare(a.value, b.value) * (order === "ascending" ? 1 : -1) || a.place - b.place;
      });
      body.append(...keyed.map((one) => one.row));
    }
    table.classList.toggle("sorted", Boolean(order));
  };

  const makeSortable = (table) => {
    const heads = columnHeads(table);
    heads.forEach((head, column) => {
      if (!head.textContent.trim()) return;
      const button = make("button", { type: "button", class: "sort", click: () => {
        const before = head.getAttribute("aria-sort");
        const order = { null: "ascending", ascending: "descending", descending: null }[before];
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        if (order) head.setAttribute("aria-sort", order);
        sortBy(table, column, order, head.classList.contains("n"));
      } }, ...head.childNodes);
      head.append(button);
    });
  };

  const makeFilterable = (table) => {
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
    if (rows.length < ROWS_TO_FILTER) return;
    const told = make("span", { role: "status" });
    const input = make("input", { type: "search", input: () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        shown += !row.hidden;
      }
      table.classList.toggle("filtered", words.length > 0);
      told.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
    } });
    table.closest(".scroll").before(make("div", { class: "filter" },
      make("label", {}, "Filter rows ", input), " ", told));
  };

  const duration = (ns) => {
    const [factor, unit] = UNITS.find(([factor]) => ns >= factor * 0.9995) ?? UNITS.at(-1);
    return `${Number((ns / factor).toPrecision(3))}\u00a0${unit}`;
  };

  /** 1/(1-p) as a percentage, with digits enough to tell it from its neighbours. */
  const percentage = (x) => `${(100 - 100 / x).toFixed(Math.ceil(Math.log10(x)))}\u00a0%`;

  /** A slider, a cursor and a button per curve for a percentile plot; `told` is reading() of
   *  figures.py. */
  const makeReadable = (figure) => {
    const told = JSON.parse(figure.querySelector("script").textContent);
    const svg = figure.querySelector("svg");
    const [left, top, width, height] = ((box, view) => [box[0] * view.width, box[1] * view.height,
      box[2] * view.width, box[3] * view.height])(told.box, svg.viewBox.baseVal);
    const steps = told.curves[0].ns.length - 1;
    const xAt = (step) => 2 * (told.last / 2) ** (step / steps);
    const [low, high] = told.limits.map(Math.log);
    const yAt = (ns) => top + height * (high - Math.log(ns)) / (high - low);
    const slider = make("input", { type: "range", min: 0, max: steps, input: () => read() });
    const output = make("output");
    const line = make("line", { y1: top, y2: top + height, class: "cursor" });
    const curves = told.curves.map((curve, place) => {
      const marks = svg.querySelectorAll(`[data-cell="${place}"]`);
      const value = make("b");
      const dot = make("circle", { r: 3.2, class: "cursor", style: `fill:${curve.color}` });
      const button = make("button", { type: "button", "aria-pressed": "true", click: () => {
        const shown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", shown);
        marks.forEach((mark) => mark.classList.toggle("hidden", !shown));
        read();
      } }, make("i", { style: `background:${curve.color}` }), `${curve.name} `, value);
      return { ns: curve.ns, value, dot, button };
    });
    const read = () => {
      const step = Number(slider.value);
      const x = left + width * step / steps;
      output.textContent = percentage(xAt(step));
      slider.setAttribute("aria-valuetext", output.textContent);
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
      for (const { ns, value, dot, button } of curves) {
        const known = ns[step] !== null;
        value.textContent = known ? duration(ns[step]) : "—";
        dot.classList.toggle("hidden", !known || button.getAttribute("aria-pressed") !== "true");
        dot.setAttribute("cx", x);
        dot.setAttribute("cy", known ? yAt(ns[step]) : top);
      }
    };
    const point = (event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(
        svg.getScreenCTM().inverse());
      const share = (at.x - left) / width;
      if (share < -0.02 || share > 1.02 || at.y < top || at.y > top + height) return;
      slider.value = Math.round(share * steps);
      read();
    };
    svg.addEventListener("pointermove", point);
    svg.addEventListener("pointerdown", point);
    svg.append(make("g", { class: "reading" }, line, ...curves.map((curve) => curve.dot)));
    figure.querySelector(".scroll").after(make("div", { class: "controls" },
      make("label", {}, "Read at ", slider), " ", output,
      make("div", { role: "group", "aria-label": "Median curves: press to hide or show" },
        ...curves.map((curve) => curve.button))));
    slider.value = Math.round(steps * Math.log(1000 / 2) / Math.log(told.last / 2));
    read();
  };

  /** Only what scrolls is a stop for the keyboard, and says that it scrolls. */
  const watchScrolling = () => {
    const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => {
      const scrolls = target.scrollWidth > target.clientWidth + 1
        || target.scrollHeight > target.clientHeight + 1;
      target.classList.toggle("scrolls", scrolls);
      if (scrolls) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }));
    document.querySelectorAll(".scroll").forEach((one) => observer.observe(one));
  };

  /** Print shows what is closed on the screen. */
  const openForPrint = () => {
    let opened = [];
    addEventListener("beforeprint", () => {
      opened = [...document.querySelectorAll("details:not([open])")];
      opened.forEach((one) => { one.open = true; });
    });
    addEventListener("afterprint", () => opened.forEach((one) => { one.open = false; }));
  };

  const theme = kept();
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;
  document.addEventListener("DOMContentLoaded", () => {
    addThemeButton();
    document.querySelectorAll("table.data").forEach((table) => {
      makeSortable(table);
      makeFilterable(table);
    });
    document.querySelectorAll("figure.readable").forEach(makeReadable);
    watchScrolling();
    openForPrint();
  });
})();
