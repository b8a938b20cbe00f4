/** Risk colours 风险预警颜色 of sources and of what stands above them: order, roll-up. Pure. */

const RANKS = { red: 4, orange: 3, yellow: 1, blue: 0 };
const UNSEEN = 2;

/** How much something presses: red, orange, unknown, yellow, blue. */
export function rank({ colour, unknown }) {
  return Math.max(RANKS[colour], unknown ? UNSEEN : 0);
}

/** No source yet: { colour, unknown, score, counts }, score of one source only, null = of several. */
const nothing = () => ({
  colour: "blue", unknown: false, score: null, seen: false,
  counts: { red: 0, orange: 0, yellow: 0, blue: 0, unknown: 0 },
});

/**
 * What is at and below every node that has a source there, and under null what is in the whole tree.
 *
 * colour: the worst. unknown: whether that which presses most is not seen; counts tell the rest. A
 * source that is not seen counts under the colour that it keeps, and as unknown.
 */
export function rollUp(nodes) {
  const sums = new Map([[null, nothing()]]);
  for (const source of nodes.values()) {
    if (source.kind !== "source") continue;
    for (const id of [...above(nodes, source.id), null]) {
      if (!sums.has(id)) sums.set(id, nothing());
      add(sums.get(id), source);
    }
    sums.get(source.id).score = source.score;
  }
  return sums;
}

function add(sum, source) {
  const lead = rank(source) - rank(sum);
  if (lead > 0 || !sum.seen) sum.unknown = source.unknown;
  else if (lead === 0) sum.unknown &&= source.unknown;
  if (RANKS[source.colour] > RANKS[sum.colour]) sum.colour = source.colour;
  sum.counts[source.colour] += 1;
  sum.counts.unknown += source.unknown;
  sum.seen = true;
}

/** Ids of a node and of all above it. */
export function above(nodes, id) {
  const path = [];
  for (let node = nodes.get(id); node; node = nodes.get(node.parent)) path.push(node.id);
  return path;
}

/** The order of two sums: what presses more first, then how many, then the higher score. */
export function worseFirst(a, b) {
  return rank(b) - rank(a)
    || ["red", "orange", "unknown", "yellow"].reduce(
      (order, name) => order || b.counts[name] - a.counts[name], 0,
    )
    || (b.score ?? 0) - (a.score ?? 0);
}
