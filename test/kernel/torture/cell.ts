/** What a cell of the list does, and what a person must see of it. All parts that are given must hold. */
export type Seen = string | RegExp;

export interface Cell {
  name: string;
  /** files written beside the notebook before it runs */
  files?: Record<string, string>;
  code: string;
  /** interrupted once it has printed */
  interrupt?: true;
  /** what is typed when it asks */
  answers?: readonly string[];
  /** of its last expression, as text */
  value?: Seen;
  /** standard output */
  out?: readonly Seen[];
  /** standard error */
  err?: readonly Seen[];
  /** why it fails; without it the cell must succeed */
  error?: { name: string; says: readonly Seen[] /** the line marked in the cell, one-based */; line?: number };
  /** an error shown under it after its reply */
  late?: { name: string; says: readonly Seen[]; line?: number };
}
