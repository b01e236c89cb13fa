/** How the normalisation of a store is cut into chunks and units. */
import { type Block, blocksOf } from "../zarr/blocks.js";

/** Steps whose statistics are one, and the months (from January of the store's first year) that get them. */
export interface Group {
  steps: number[];
  months: number[];
}

export interface NormalizeLayout {
  format: 2 | 3;
  period: [string, string];
  /** attributes of the group; null for none */
  group: Record<string, unknown> | null;
  /** rows */
  months: number;
  /** the arrays of the store. `chunks` are theirs: the normalisation is cut as they are */
  arrays: { name: "data" | "data_sfc"; dims: number[]; grid: [number, number]; chunks: number[] }[];
}

export interface NormalizeSetup {
  location: string;
  layout: NormalizeLayout;
  groups: Group[];
  /** channels whose sums are held at a time; more are read in a second pass */
  perPass: number;
  /** of the largest chunk, decoded */
  chunkBytes: number;
}

export interface NormalizeUnit extends Group {
  array: "data" | "data_sfc";
  block: Block;
}

export const unitsOf = ({ arrays }: NormalizeLayout, groups: readonly Group[]): NormalizeUnit[] =>
  groups.flatMap((group) =>
    arrays.flatMap(({ name, dims, chunks }) =>
      blocksOf(dims, chunks.slice(1, -2)).map((block) => ({ ...group, array: name, block })),
    ),
  );
