/** What made a run, in words: for `runs show` and for its page. */
import { runFolder } from "./folder.js";
import { digestOfReads, type ProvenanceSession, readProvenance, readReads } from "./provenance.js";

export interface MadeBy {
  sessions: ProvenanceSession[];
  /** how much of the data was read, and one digest of it; null where nothing was noted */
  read: { files: number; digest: string | null };
}

/** What is told of what made a run; null for a run that does not tell. */
export async function madeBy(out: string, id: string): Promise<MadeBy | null> {
  const folder = runFolder(out, id);
  const sessions = await readProvenance(folder);
  const read = await readReads(folder);
  const files = Object.values(read).reduce((sum, keys) => sum + Object.keys(keys).length, 0);
  return sessions.length === 0 ? null : { sessions, read: { files, digest: files === 0 ? null : digestOfReads(read) } };
}

/** What and how, a row each; a row without a name goes on from the one above. */
export function madeByRows(told: MadeBy | null): [what: string, how: string][] {
  if (told === null) return [["made by", "an earlier version, which does not tell"]];
  const { sessions, read } = told;
  const last = sessions.at(-1) as ProvenanceSession;
  const { data, code, parent, startedFrom, seeds } = last;
  const files = read.files === 0 ? "" : `, ${read.files} files or parts read: ${short(read.digest)}`;
  const digest = data.metadata
    ? `metadata ${short(data.metadata)}`
    : data.view
      ? `files ${short(data.view)}`
      : "snapshot";
  const rows: ([string, string] | null)[] = [
    [
      "made by",
      `AtmoRep ${last.version}, ${last.description}, ${last.products} products, Node ${last.node}, ${last.platform}`,
    ],
    last.kernels ? ["kernels", last.kernels] : null,
    ["machine", `${last.processor}${last.processes > 1 ? `, ${last.processes} processes` : ""}`],
    ["seeds", `torch_seed ${seeds.torch_seed}, rng_seed ${seeds.rng_seed}`],
    last.command ? ["command", `atmorep ${last.command.join(" ")}`] : null,
    code ? ["code", `commit ${code.commit}${code.changed ? ", with changes" : ""}`] : null,
    ["data", `${data.location}, ${digest}${files}`],
    data.statistics ? ["", `normalised by ${data.statistics.location}, ${short(data.statistics.metadata)}`] : null,
    parent ? ["parent", `run ${parent.runId} at step ${parent.step}`] : null,
    ...startedFrom.map(({ of, name, sha256 }): [string, string] => [
      "weights",
      `${of}: ${name}${sha256 ? `, ${short(sha256)}` : ""}`,
    ]),
    sessions.length > 1
      ? ["taken up", `${sessions.length} times, at steps ${sessions.map((s) => s.step).join(", ")}`]
      : null,
  ];
  return rows.filter((row) => row !== null);
}

const short = (digest: string | null): string => `SHA-256 ${String(digest).slice(0, 16)}`;
