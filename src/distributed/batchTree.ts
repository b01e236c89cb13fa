/**
 * The order in which the gradients of a step's batches are added up: one binary tree over the batches, the same whoever
 * computes them. So n processes of one batch each, one process of n batches, and all between end with the same bits.
 */

/** A node of the tree: the sum over batches `start` to `end` (exclusive). */
export interface Span {
  start: number;
  end: number;
}

/** Where a node's second half begins: after the largest power of two of batches that is smaller than it. */
const middle = ({ start, end }: Span): number => start + 2 ** (31 - Math.clz32(end - start - 1));

const halves = (node: Span): [Span, Span] => {
  const half = middle(node);
  return [
    { start: node.start, end: half },
    { start: half, end: node.end },
  ];
};

/**
 * The nodes of the tree over `total` batches that a process can add up by itself, in their order: one if it has a power of two of
 * them, as all processes then have; else up to two for each doubling.
 */
export function ownNodes(own: Span, total: number): Span[] {
  const within = (node: Span): Span[] => {
    if (node.end <= own.start || own.end <= node.start) return [];
    if (own.start <= node.start && node.end <= own.end) return [node];
    return halves(node).flatMap(within);
  };
  return within({ start: 0, end: total });
}

/** The sum of one node, its batches computed one after the other: no more sums live at once than the tree is deep. */
export async function sumNode<T>(
  node: Span,
  batch: (k: number) => Promise<T>,
  add: (a: T, b: T) => T | Promise<T>,
): Promise<T> {
  if (node.end - node.start === 1) return batch(node.start);
  const [first, second] = halves(node);
  const a = await sumNode(first, batch, add);
  return add(a, await sumNode(second, batch, add));
}

/**
 * What is left to be added where `nodes` are there, which cover all batches in order.
 * @param keep the node that holds the whole sum at the end: a sum of two does not depend on which of them takes it
 * @returns pairs of positions in `nodes`: the second is added to the first
 */
export function additions(nodes: readonly Span[], keep: number): [to: number, from: number][] {
  const found: [number, number][] = [];
  const at = new Map(nodes.map(({ start, end }, i) => [`${start} ${end}`, i]));
  const sum = (node: Span): number => {
    const given = at.get(`${node.start} ${node.end}`);
    if (given !== undefined) return given;
    if (node.end - node.start <= 1) throw new Error(`no sum holds batch ${node.start}`);
    const [a, b] = halves(node).map(sum);
    const [to, from] = b === keep ? [b, a] : [a, b];
    found.push([to, from]);
    return to;
  };
  sum({ start: 0, end: nodes[nodes.length - 1].end });
  return found;
}
