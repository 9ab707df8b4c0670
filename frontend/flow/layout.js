// Where steps stand that nobody has put anywhere: in layers, by where they lead.
import { graphlib, layout as arrange } from "@dagrejs/dagre";
import { exits } from "./model.js";

export const WIDTH = 232;
export const HEIGHT = 84;

/** The positions of all steps, by id: their own, or those of the layout. */
export function layout(flow) {
  const graph = new graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 40, ranksep: 76, marginx: 24, marginy: 24 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of flow.steps) graph.setNode(id, { width: WIDTH, height: HEIGHT });
  for (const step of flow.steps) {
    exits(step).forEach(({ to }, place) => {
      if (to && to !== step.id && graph.hasNode(to)) graph.setEdge(step.id, to, {}, String(place));
    });
  }
  arrange(graph);
  return new Map(
    flow.steps.map(({ id, position }) => {
      const { x, y } = graph.node(id);
      return [id, position ?? { x: Math.round(x - WIDTH / 2), y: Math.round(y - HEIGHT / 2) }];
    }),
  );
}
