/** A tool that keeps two folders equal. */
export interface Contestant {
  readonly name: string;
  readonly folders: readonly [string, string];
  /** Nothing is synced until `sync`. */
  rest(): Promise<void>;
  /** Resolves when both folders are as the tool wants them. */
  sync(): Promise<void>;
  /** Which of the contents can still be had though they are in no folder; `null`: not known of this tool. */
  findInHistory(contents: readonly string[]): Promise<ReadonlySet<string> | null>;
  close(): Promise<void>;
}

export async function waitUntil(
  what: string,
  holds: () => Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
