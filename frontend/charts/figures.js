// What a chart reads off the table beside it, and how it writes numbers.

/**
 * The columns of a table whose rows are days or months: each body row has a `<time datetime>` ("2026-11-03", "2026-11") and cells with
 * `data-value`, which stand under a head cell with `data-measure`.
 * @param {{time: string, href: string, values: Record<string, string>}[]} rows
 * @returns {{times: number[], monthly: boolean, links: string[], values: (name: string) => number[]}} where they begin in seconds since
 *   1970, rising
 */
export function columns(rows) {
  const sorted = rows.map((row) => ({ ...row, at: Date.parse(row.time) / 1000 })).sort((a, b) => a.at - b.at);
  return {
    times: sorted.map(({ at }) => at),
    monthly: sorted[0]?.time.length === "2026-11".length,
    links: sorted.map(({ href }) => href),
    values: (name) => sorted.map(({ values }) => Number(values[name] ?? 0)),
  };
}

const MICRO = 1_000_000;

/** `value` in words: of "money" micro-dollars, of "minutes" seconds; everything else is counted. */
export function written(value, kind) {
  if (kind === "money") return dollars(value / MICRO);
  if (kind === "minutes") return `${(value / 60).toLocaleString("en-GB", { maximumFractionDigits: value < 6000 ? 1 : 0 })} min`;
  return value.toLocaleString("en-GB");
}

function dollars(amount) {
  const places = amount === 0 || Math.abs(amount) >= 0.995 ? 2 : 4;
  return `$${amount.toLocaleString("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: places })}`;
}
