import { DayChart } from "./charts/day-chart.js";

if (!customElements.get("day-chart")) customElements.define("day-chart", DayChart);
