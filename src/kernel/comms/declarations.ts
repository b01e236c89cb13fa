/** Declarations of comms and widgets, for the checks of cells. */
export const COMM_DECLARATIONS = `
interface JupyterCommContent {
  data?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
  buffers?: readonly ArrayBufferView[];
}
interface JupyterCommMessage {
  data: Record<string, unknown>;
  metadata: Record<string, unknown>;
  buffers: Uint8Array[];
  request: number;
}
interface JupyterComm {
  readonly id: string;
  readonly target: string;
  readonly closed: boolean;
  send(data: Record<string, unknown>, content?: Omit<JupyterCommContent, "data">, request?: number): void;
  close(data?: Record<string, unknown>, content?: Omit<JupyterCommContent, "data">): void;
  onMessage(handler: (message: JupyterCommMessage) => unknown): void;
  onClose(handler: (message: JupyterCommMessage) => unknown): void;
}
interface JupyterWidgetOptions<S extends object> {
  esm: string;
  css?: string;
  state?: S;
}
interface JupyterWidget<S extends object> {
  readonly id: string;
  readonly open: boolean;
  get<K extends keyof S & string>(key: K): S[K];
  set(state: Partial<S>): void;
  on<K extends keyof S & string>(key: K, handler: (value: S[K]) => unknown): void;
  send(content: unknown, buffers?: readonly ArrayBufferView[]): void;
  onMessage<T = unknown>(handler: (content: T, buffers: Uint8Array[]) => unknown): void;
  close(): void;
  bundle(): Record<string, unknown>;
}
`;
