/**
 * Bundles as agents shipped them, on the volume, until they are sealed into the store.
 * A file here is the acknowledgement: once the agent was told 201, a crash of the operator loses nothing.
 */
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

export class Incoming {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
  }

  get folder(): string {
    return this.#folder;
  }

  /** @throws RangeError for names that Kubernetes would not give, before they become a path */
  pathOf(namespace: string, incident: string): string {
    if (!NAME.test(namespace) || !NAME.test(incident)) {
      throw new RangeError(`${JSON.stringify(`${namespace}/${incident}`)} is not the name of an incident`);
    }
    return join(this.#folder, `${namespace}_${incident}.tar.gz`);
  }

  /** Takes a received temporary file over under its final name; replaces an earlier upload of the same incident. */
  async take(temporary: string, namespace: string, incident: string): Promise<void> {
    await rename(temporary, this.pathOf(namespace, incident));
  }

  async has(namespace: string, incident: string): Promise<boolean> {
    return stat(this.pathOf(namespace, incident)).then(
      (s) => s.isFile(),
      () => false,
    );
  }

  /** Forgets an upload that came after its incident was served. */
  async discardFile(temporary: string): Promise<void> {
    await rm(temporary, { force: true });
  }

  async discard(incident: { readonly namespace: string; readonly name: string }): Promise<void> {
    await rm(this.pathOf(incident.namespace, incident.name), { force: true });
  }
}
