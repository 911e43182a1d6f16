/** Lines for people, on stderr: what happens, and when it happened. */
export class Display {
  readonly #startedMs = performance.now();
  readonly #colour = process.stderr.isTTY && process.env.NO_COLOR === undefined;

  get elapsedMs(): number {
    return performance.now() - this.#startedMs;
  }

  title(text: string): void {
    this.#print(this.#bold(`\n${text}`));
  }

  line(text: string): void {
    for (const line of text.trimEnd().split('\n')) this.#print(`  ${line}`);
  }

  /** Runs one step; a long one says every ten seconds that it is still under way. */
  async step<T>(what: string, work: () => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    const seconds = (): string => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
    const ticking = setInterval(() => this.line(`… ${what} (${seconds()})`), 10_000);
    try {
      const result = await work();
      this.line(`${this.#green('✓')} ${what} (${seconds()})`);
      return result;
    } finally {
      clearInterval(ticking);
    }
  }

  #print(text: string): void {
    const at = `${(this.elapsedMs / 1000).toFixed(1).padStart(6)}s`;
    process.stderr.write(text.replace(/^(\n*)/, (gap) => `${gap}${at} `));
    process.stderr.write('\n');
  }

  #bold(text: string): string {
    return this.#colour ? `\u001b[1m${text}\u001b[0m` : text;
  }

  #green(text: string): string {
    return this.#colour ? `\u001b[32m${text}\u001b[0m` : text;
  }
}
