/** Which comms are open: the wire thread's side, which answers while a cell computes. */

/** What is looked at of a message. */
interface Passing {
  header: { msg_type: string };
  content: Record<string, unknown>;
}

export class CommTable {
  readonly #targets = new Map<string, string>();

  /**
   * Whether a message goes past the cells that wait, and the one at work: what is said on an open comm, and the question which are
   * open. What opens one keeps its place behind the cell that may register its target.
   */
  passes({ header, content }: Passing): boolean {
    if (header.msg_type === "comm_info_request") return true;
    return /^comm_(msg|close)$/.test(header.msg_type) && this.#targets.has(String(content.comm_id));
  }

  /** A message came or goes. */
  note(type: string, content: Record<string, unknown>): void {
    const id = String(content.comm_id);
    if (type === "comm_open") this.#targets.set(id, String(content.target_name));
    else if (type === "comm_close") this.#targets.delete(id);
  }

  /** The content of `comm_info_reply`. */
  info({ target_name: wanted }: Record<string, unknown>): Record<string, unknown> {
    const open = [...this.#targets].filter(
      ([, target]) => wanted === undefined || wanted === null || target === wanted,
    );
    return { status: "ok", comms: Object.fromEntries(open.map(([id, target]) => [id, { target_name: target }])) };
  }
}
