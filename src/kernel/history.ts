/** What was run in this session, for `history_request`. */

export interface HistoryEntry {
  line: number;
  code: string;
  output: string | null;
}

type HistoryRequest = Record<string, unknown>;

const SESSION = 1;

/** `*` and `?` as in a shell. */
function globToRegExp(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*/g, "[\\s\\S]*")
    .replace(/\?/g, "[\\s\\S]");
  return new RegExp(`^${source}$`);
}

function latestOfEach(entries: readonly HistoryEntry[]): HistoryEntry[] {
  const last = new Map(entries.map((entry) => [entry.code, entry]));
  return entries.filter((entry) => last.get(entry.code) === entry);
}

/**
 * The content of `history_reply`: rows of session, line and input, or input and output if asked for.
 * @param entries oldest first
 */
export function answerHistory(entries: readonly HistoryEntry[], request: HistoryRequest): Record<string, unknown> {
  const n = typeof request.n === "number" ? request.n : entries.length;
  let chosen: readonly HistoryEntry[] = entries;
  if (request.hist_access_type === "range") {
    const session = Number(request.session ?? 0);
    const start = Number(request.start ?? 1);
    const stop = typeof request.stop === "number" ? request.stop : Number.POSITIVE_INFINITY;
    // Sessions below 1 count back from this one, 0.
    chosen = session === SESSION || session === 0 ? entries.filter((e) => e.line >= start && e.line < stop) : [];
  } else {
    if (request.hist_access_type === "search") {
      const pattern = globToRegExp(String(request.pattern ?? "*"));
      chosen = entries.filter((entry) => pattern.test(entry.code));
      if (request.unique === true) chosen = latestOfEach(chosen);
    }
    chosen = n > 0 ? chosen.slice(-n) : [];
  }
  const history = chosen.map((e) => [SESSION, e.line, request.output === true ? [e.code, e.output] : e.code]);
  return { status: "ok", history };
}
