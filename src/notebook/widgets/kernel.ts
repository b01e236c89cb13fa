/** Widgets as kernels may offer them under the global name `jupyter`; this project's does. */
import type { MimeBundle } from "../figure/display.js";

export interface Widget<S extends object> {
  get<K extends keyof S & string>(key: K): S[K];
  set(state: Partial<S>): void;
  on<K extends keyof S & string>(key: K, handler: (value: S[K]) => unknown): void;
  onMessage<T>(handler: (content: T) => unknown): void;
  send(content: unknown): void;
  close(): void;
  bundle(): MimeBundle;
}

export type MakeWidget = <S extends object>(options: { esm: string; css?: string; state: S }) => Widget<S>;

/** The running kernel's; null where there is none, and in headless runs, in which nobody moves anything. */
export function widgetMaker(): MakeWidget | null {
  const { jupyter } = globalThis as { jupyter?: { widget?: MakeWidget; interactive?: boolean } };
  return jupyter?.interactive === true && jupyter.widget ? jupyter.widget : null;
}
