/**
 * What a loss of power leaves, from a log of `shim.c`. A file system in memory does the operations one by one and keeps,
 * of each file and folder, what is certain to be on the disk: a file's bytes as of its last fsync, a folder's entries as
 * of its own. A rename between two folders is on the disk once either is, as file systems with a journal have it.
 */
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * `killed`: all that was done, as after a kill. `synced`: only what is certain. `names`: all names, but of bytes only those
 * that are certain. `zeros`: all names and lengths, zeros where bytes are not certain.
 */
export type View = "killed" | "synced" | "names" | "zeros";

/** The files of a folder by path, and folders (a path that ends in `/`, null). */
export type Tree = Map<string, Buffer | null>;

interface File {
  kind: "file";
  now: Buffer;
  certain: Buffer;
}
interface Folder {
  kind: "folder";
  now: Map<string, Node>;
  certain: Map<string, Node>;
  /** renames into or out of it that are not on the disk */
  pending: Move[];
}
type Node = File | Folder;
interface Move {
  from: Folder;
  to: Folder;
  name: string;
  newName: string;
  node: Node;
}

const folderNode = (): Folder => ({ kind: "folder", now: new Map(), certain: new Map(), pending: [] });

export interface Step {
  /** what was done, for messages */
  text: string;
  /** what the program printed, instead of a change of files */
  printed: string | null;
}

export class Replay {
  private readonly root = folderNode();
  private readonly handles = new Map<number, Node>();
  private readonly log: Buffer;
  private at = 0;

  /** @param start the folder as it was before, all of it on the disk */
  constructor(log: string, start: Tree) {
    this.log = readFileSync(log);
    for (const [path, bytes] of start) {
      const names = path.split("/").filter((name) => name !== "");
      const name = names.pop() as string;
      const node: Node = bytes === null ? folderNode() : { kind: "file", now: bytes, certain: bytes };
      const parent = this.folder(names);
      if (bytes !== null || !parent.now.has(name)) put(parent, name, node);
    }
  }

  /** The folder at a path that is there, or is made with what is there from the start. */
  private folder(names: readonly string[]): Folder {
    let folder = this.root;
    for (const name of names) {
      if (!folder.now.has(name)) put(folder, name, folderNode());
      folder = folder.now.get(name) as Folder;
    }
    return folder;
  }

  private find(path: string): { parent: Folder; name: string; node: Node | undefined } {
    const names = path.split("/").filter((name) => name !== "");
    const name = names.pop();
    if (name === undefined) return { parent: this.root, name: "", node: this.root };
    let parent = this.root;
    for (const step of names) parent = parent.now.get(step) as Folder;
    return { parent, name, node: parent.now.get(name) };
  }

  /** Does the next operation. @returns what it was; null at the end */
  next(): Step | null {
    if (this.at >= this.log.length) return null;
    const end = this.log.indexOf(10, this.at);
    const line = this.log.toString("utf8", this.at, end);
    this.at = end + 1;
    const [letter, ...words] = line.split("\t");
    if (letter === "P") return { text: line, printed: this.payload(Number(words[0])).toString("utf8") };
    this.does(letter, words);
    return { text: line, printed: null };
  }

  private payload(length: number): Buffer {
    this.at += length;
    return this.log.subarray(this.at - length, this.at);
  }

  private does(letter: string, words: string[]): void {
    const [first, second, third] = words;
    const file = () => this.handles.get(Number(first)) as File;
    const place = () => this.find(first);
    switch (letter) {
      case "C": {
        const { parent, name, node } = this.find(words[3]);
        const opened = node ?? { kind: "file", now: Buffer.alloc(0), certain: Buffer.alloc(0) };
        if (!node) parent.now.set(name, opened);
        if (opened.kind === "file" && third === "1") opened.now = Buffer.alloc(0);
        this.handles.set(Number(first), opened);
        return;
      }
      case "W": {
        const [offset, length] = [Number(second), Number(third)];
        const own = file();
        const grown = Buffer.alloc(Math.max(own.now.length, offset + length));
        own.now.copy(grown);
        this.payload(length).copy(grown, offset);
        own.now = grown;
        return;
      }
      case "T": {
        const own = file();
        const cut = Buffer.alloc(Number(second));
        own.now.copy(cut);
        own.now = cut;
        return;
      }
      case "S": {
        const node = this.handles.get(Number(first)) as Node;
        if (node.kind === "file") node.certain = node.now;
        else settle(node);
        return;
      }
      case "M":
        place().parent.now.set(place().name, folderNode());
        return;
      case "U":
      case "D":
        place().parent.now.delete(place().name);
        return;
      case "L": {
        const to = this.find(second);
        to.parent.now.set(to.name, place().node as Node);
        return;
      }
      case "R": {
        const { parent: from, name, node } = place();
        const { parent: to, name: newName } = this.find(second);
        from.now.delete(name);
        to.now.set(newName, node as Node);
        if (from === to) return;
        const move = { from, to, name, newName, node: node as Node };
        from.pending.push(move);
        to.pending.push(move);
        return;
      }
      default:
        throw new Error(`unknown operation ${letter}`);
    }
  }

  /** The folder as it would be found. */
  tree(view: View): Tree {
    const found: Tree = new Map();
    const walk = (folder: Folder, prefix: string) => {
      const entries = view === "synced" ? folder.certain : folder.now;
      for (const name of [...entries.keys()].sort()) {
        const node = entries.get(name) as Node;
        if (node.kind === "folder") {
          found.set(`${prefix}${name}/`, null);
          walk(node, `${prefix}${name}/`);
        } else found.set(`${prefix}${name}`, bytesOf(node, view));
      }
    };
    walk(this.root, "");
    return found;
  }
}

function put(folder: Folder, name: string, node: Node): void {
  folder.now.set(name, node);
  folder.certain.set(name, node);
}

function settle(folder: Folder): void {
  for (const move of folder.pending) {
    const other = move.from === folder ? move.to : move.from;
    if (other === move.to) other.certain.set(move.newName, move.node);
    else if (other.certain.get(move.name) === move.node) other.certain.delete(move.name);
    other.pending = other.pending.filter((known) => known !== move);
  }
  folder.pending = [];
  folder.certain = new Map(folder.now);
}

function bytesOf({ now, certain }: File, view: View): Buffer {
  if (view === "killed") return now;
  if (view !== "zeros") return certain;
  const bytes = Buffer.alloc(now.length);
  const length = Math.min(certain.length, now.length);
  if (now.subarray(0, length).equals(certain.subarray(0, length))) certain.copy(bytes, 0, 0, length);
  return bytes;
}

/** The files and folders below a folder. */
export function readTree(folder: string): Tree {
  const tree: Tree = new Map();
  const walk = (prefix: string) => {
    const entries = readdirSync(join(folder, prefix), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = `${prefix}${entry.name}`;
      if (entry.isDirectory()) {
        tree.set(`${path}/`, null);
        walk(`${path}/`);
      } else tree.set(path, readFileSync(join(folder, path)));
    }
  };
  walk("");
  return tree;
}

/** When files that were there before were changed: the same each time, since unfinished work knows its sources by it. */
const BEFORE = new Date("2026-01-01T00:00:00Z");

/** Writes a tree into an empty folder. */
export function writeTree(folder: string, tree: Tree): void {
  mkdirSync(folder, { recursive: true });
  for (const [path, bytes] of tree) {
    if (bytes === null) mkdirSync(join(folder, path), { recursive: true });
    else writeFileSync(join(folder, path), bytes);
  }
  for (const path of [...tree.keys()].reverse()) utimesSync(join(folder, path), BEFORE, BEFORE);
}
