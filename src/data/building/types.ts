/** What a command that builds a folder is cut into: units that do not depend on each other, the same for any number of workers. */
import type { Part } from "../../parts.js";
import type { StoreSink } from "../zarr/write.js";
import type { Team } from "./team.js";

export interface UnitFacts {
  /** for messages: `data 1996-01` */
  name: string;
  /** bytes of values, for progress */
  bytes: number;
}

/** Looked at between steps. */
export interface Ended {
  readonly aborted: boolean;
}

export interface UnitTools {
  sink: StoreSink;
  /** told after some bytes of values */
  progress(bytes: number): void;
  ended: Ended;
}

/** The work as a worker has it open. What it gives is what JSON can hold. */
export interface Job {
  /** Writes the files of a unit. @returns what `finish` needs of it. @throws AtmorepError for faults of the source */
  work(unit: number, tools: UnitTools): Promise<unknown>;
  close(): Promise<void>;
}

/** One kind of work. `Setup` and `Layout` are what JSON can hold. */
export interface Kind<Setup, Layout, Result> {
  /** @param cacheBytes what may be held of decoded parts of the source */
  open(setup: Setup, cacheBytes: number): Promise<Job>;
  /** Writes all else that the folder holds. @param results by unit. @param place as of the request */
  finish(layout: Layout, results: readonly Result[], sink: StoreSink, place: string): Promise<void>;
  /** after the result has its place; may be called twice */
  after?(layout: Layout, place: string): Promise<void>;
}

export type KindName = "import" | "normalize" | "statistics" | "rechunk";

/** A file that is read, and what tells it from itself after a change. */
export interface SourceFacts {
  name: string;
  size: number | null;
  modified: number | null;
  digest: string | null;
}

/** What is to be built. */
export interface Request {
  kind: KindName;
  /** as a person says it: `data import` */
  command: string;
  /** a folder, or a file that ends in `.zip`, for kinds that have no `after` */
  out: string;
  /** what stands there is replaced */
  replace: boolean;
  setup: unknown;
  /** what `finish` writes; no names of places, which differ where parts see a disk under other names */
  layout: unknown;
  /** where the source lies for this process, if `finish` needs it; else empty */
  place: string;
  /** all that the bytes depend on, besides the sources */
  asked: Record<string, unknown>;
  sources(): Promise<SourceFacts[]>;
  units: readonly UnitFacts[];
  /** bytes that one unit in work holds, besides decoded parts of the source */
  unitBytes: number;
  /** what to do if `--memory` is too small for one */
  smaller: string;
  /** why only one worker may read the sources; null if many may */
  alone: string | null;
}

export interface BuildOptions {
  /** null for all of it, finished at the end */
  part?: Part | null;
  /** the processes that build it together, each a part; the first finishes it */
  team?: Team | null;
  /** workers; null for as many as there are cores and memory for */
  jobs?: number | null;
  /** cores of this process, where several share them; null for those it may run on */
  cores?: number | null;
  /** bound of what the process holds, in bytes; null for a quarter of the machine's memory */
  memory?: number | null;
  /** throws away what an earlier call left */
  restart?: boolean;
  /** ends the work; what is done is kept */
  signal?: AbortSignal;
  /** bytes of values done and in all, those of earlier calls included */
  onProgress?: (done: number, total: number, before: number) => void;
  /** what a person should know while it works */
  note?: (line: string) => void;
}

export interface Built {
  /** the folder that holds what is done, if parts are still to come */
  unfinished: string | null;
  /** what units gave, where all is done and this process has finished it; else null */
  results: unknown[] | null;
  /** units of this part, and those of them that earlier calls had done */
  units: number;
  before: number;
  jobs: number;
}
