// <day-chart table="id">: bars of what the rows of that table say of their days or months. The table is what a screen reader reads.
//
// Radio buttons inside choose the measure: the `data-measure` of one of the table's head cells. A bar leads where the link in its row
// does.
import uPlot from "uplot";
import { columns, written } from "./figures.js";

const HEIGHT = 240;
const WIDEST_BAR = 40; // pixels
const WIDEST_LABEL = 56;
const DAY = 86_400; // seconds

export class DayChart extends HTMLElement {
  connectedCallback() {
    this.canvas = this.querySelector("[data-canvas]");
    this.note = this.querySelector("[data-note]");
    this.addEventListener("change", () => this.draw());
    this.watchers = [new ResizeObserver(() => this.resize()), new MutationObserver(() => this.draw())];
    this.watchers[0].observe(this.canvas);
    // The theme is the system's, or chosen on <html>.
    this.watchers[1].observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = () => this.draw();
    this.scheme.addEventListener("change", this.redraw);
    this.draw();
  }

  disconnectedCallback() {
    for (const watcher of this.watchers) watcher.disconnect();
    this.scheme.removeEventListener("change", this.redraw);
    this.plot?.destroy();
    this.plot = null;
  }

  draw() {
    const table = document.getElementById(this.getAttribute("table"));
    if (!table || !this.canvas.clientWidth) return;
    this.plot?.destroy();
    this.data = columns(rowsOf(table));
    const measure = this.querySelector("input:checked")?.value ?? table.querySelector("[data-measure]").dataset.measure;
    this.kind = table.querySelector(`[data-measure="${measure}"]`).dataset.kind;
    this.plot = new uPlot(this.#options(), [this.data.times, this.data.values(measure)], this.canvas);
  }

  resize() {
    if (!this.plot) this.draw();
    else if (this.plot.width !== this.canvas.clientWidth) this.plot.setSize({ width: this.canvas.clientWidth, height: HEIGHT });
  }

  #options() {
    const style = getComputedStyle(this);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour("--muted"), font: `12px ${style.fontFamily}`, ticks: { show: false } };
    const line = { stroke: colour("--line"), width: 1 };
    const { monthly } = this.data;
    const half = (monthly ? 30 : 1) * DAY / 2;
    return {
      width: this.canvas.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: { x: { range: (_, low, high) => [low - half, high + half] }, y: { range: (_, low, high) => [0, high || 1] } },
      axes: [
        { ...axis, grid: { show: false }, ...(monthly ? this.#months() : { values: (_, days) => days.map(shortDay), incrs: [1, 2, 7, 14, 28, 56].map((days) => days * DAY) }) },
        { ...axis, grid: line, size: 72, values: (_, amounts) => amounts.map((amount) => written(amount, this.kind)) },
      ],
      series: [
        {},
        { fill: colour("--color-accent"), stroke: colour("--color-accent"), width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.72, WIDEST_BAR], radius: 0.08 }) },
      ],
      hooks: {
        setCursor: [(plot) => this.#tell(plot)],
        ready: [(plot) => plot.over.addEventListener("click", () => this.#follow(plot.cursor.idx))],
      },
    };
  }

  /** Labels of months: they are not equally long, and not all have room. */
  #months() {
    const every = Math.ceil((this.data.times.length * WIDEST_LABEL) / this.canvas.clientWidth);
    return { splits: () => this.data.times.filter((_, at) => at % every === 0), values: (_, months) => months.map(shortMonth) };
  }

  /** Say what is under the pointer, above the chart. */
  #tell({ cursor: { idx }, data: [times, amounts] }) {
    const named = this.data.monthly ? longMonth : longDay;
    this.note.textContent = idx == null ? "" : `${named(times[idx])}: ${written(amounts[idx], this.kind)}`;
  }

  #follow(idx) {
    if (idx != null && this.data.links[idx]) location.assign(this.data.links[idx]);
  }
}

function rowsOf(table) {
  const measures = [...table.querySelectorAll("thead th")].map(({ dataset }) => dataset.measure);
  return [...table.querySelectorAll("tbody tr")].map((row) => {
    const cells = [...row.cells].map((cell, at) => [measures[at], cell.dataset.value]).filter(([name]) => name);
    return { time: row.querySelector("time").dateTime, href: row.querySelector("a")?.href ?? "", values: Object.fromEntries(cells) };
  });
}

function inUtc(seconds, options) {
  return new Date(seconds * 1000).toLocaleDateString("en-GB", { ...options, timeZone: "UTC" });
}

const shortDay = (seconds) => inUtc(seconds, { day: "numeric", month: "short" });
const shortMonth = (seconds) => inUtc(seconds, { month: "short" });
const longMonth = (seconds) => inUtc(seconds, { month: "long", year: "numeric" });
const longDay = (seconds) => inUtc(seconds, { weekday: "short", day: "numeric", month: "long", year: "numeric" });
