// Where a setting stands in an agent's text: read from its syntax tree, so that it is right for what is written now.

/**
 * The piece {from, to} of the text that a path such as "flow.steps.3.say" leads to, or what is written of the way there.
 * Null where none of it is. `read(from, to)` gives the text between two positions.
 */
export function find(tree, path, read) {
  let found = null;
  let around = tree.topNode.getChild("Document");
  for (const step of path.split(".")) {
    const next = around && inside(around, step, read);
    if (!next) break;
    found = around = next;
  }
  return found && { from: found.from + read(found.from, found.to).search(/\S|$/), to: found.to };
}

/** The setting of a mapping, or the item of a list, that `step` names. */
function inside(node, step, read) {
  const mapping = node.getChild("BlockMapping") ?? node.getChild("FlowMapping");
  if (mapping) return mapping.getChildren("Pair").find((pair) => nameOf(pair, read) === step);
  const list = node.getChild("BlockSequence") ?? node.getChild("FlowSequence");
  return list?.getChildren("Item")[Number(step)];
}

function nameOf(pair, read) {
  const key = pair.getChild("Key");
  return key && read(key.from, key.to).replace(/^(["'])(.*)\1$/, "$2");
}
