import assert from "node:assert/strict";
import { test } from "node:test";
import { columns, written } from "../charts/figures.js";

test("a chart reads the rows of its table in the order of time", () => {
  const row = (day, cost) => ({ time: day, href: `/calls/?day=${day}`, values: { cost } });
  const { times, monthly, links, values } = columns([row("2026-11-03", "30"), row("2026-11-01", "10"), row("2026-11-02", undefined)]);
  assert.deepEqual(times.map((seconds) => new Date(seconds * 1000).toISOString().slice(0, 10)), ["2026-11-01", "2026-11-02", "2026-11-03"]);
  assert.deepEqual(values("cost"), [10, 0, 30]);
  assert.equal(links[2], "/calls/?day=2026-11-03");
  assert.equal(monthly, false);
  const months = columns([row("2026-11", "30"), row("2026-10", "10")]);
  assert.equal(months.monthly, true);
  assert.deepEqual(months.times, [Date.UTC(2026, 9) / 1000, Date.UTC(2026, 10) / 1000]);
});

test("numbers are written as their measure has them", () => {
  assert.deepEqual([0, 740_000, 4_200, 1_250_000_000].map((micro) => written(micro, "money")), ["$0.00", "$0.74", "$0.0042", "$1,250.00"]);
  assert.deepEqual([90, 6_000].map((seconds) => written(seconds, "minutes")), ["1.5 min", "100 min"]);
  assert.equal(written(12_345, "count"), "12,345");
});
