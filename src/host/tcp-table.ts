/** `/proc/net/tcp` and `tcp6`, as text that arrives in pieces. Pure. */

/** Socket states that are looked for, as the kernel prints them (include/net/tcp_states.h). */
const established = '01';
const listen = '0A';

/** Longest line that is one: tcp6's are below 200 characters. */
const maxLineLength = 1024;

/**
 * `sl local_address rem_address st …` (proc_pid_net(5)): a slot, then addresses as 8 or 32 hex digits in the order of the machine's words,
 * ports as 4 hex digits. IPv4 connections of a dual-stack socket stand in tcp6 alone, as ::ffff:a.b.c.d, so the two tables never
 * tell of one socket twice.
 */
const row =
  /^ *\d+: (?:[0-9A-F]{24})?[0-9A-F]{8}:([0-9A-F]{4}) (?:[0-9A-F]{24})?[0-9A-F]{8}:[0-9A-F]{4} ([0-9A-F]{2}) /;
const heading = /^ *sl +local_address /;

export interface TcpTally {
  /** Established connections whose local end has the port. */
  readonly established: number;
  /** A socket listens on the port. */
  readonly listening: boolean;
}

export type TcpTable =
  | { readonly kind: 'ok'; readonly tally: TcpTally }
  | { readonly kind: 'malformed'; readonly line: string };

/** Tallies the sockets of one local port. Give it every byte of one table, then ask for `result`. */
export class TcpTableReader {
  readonly #port: string;
  #rest = '';
  #seenHeading = false;
  #established = 0;
  #listening = false;
  #malformed: string | null = null;

  constructor(port: number) {
    this.#port = port.toString(16).toUpperCase().padStart(4, '0');
  }

  push(chunk: Uint8Array): void {
    // Every byte is one character: what is not ASCII belongs to no line of the table anyway.
    const text = this.#rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0 && this.#malformed === null; end = text.indexOf('\n', start)) {
      this.#line(text.slice(start, end));
      start = end + 1;
    }
    this.#rest = text.slice(start);
    if (this.#rest.length > maxLineLength) this.#malformed ??= this.#rest;
    if (this.#malformed !== null) this.#rest = '';
  }

  /** A table that ends within a line, or has not even a heading, is malformed: a count that lacks a part would mislead. */
  result(): TcpTable {
    const malformed = this.#malformed ?? (this.#rest !== '' || !this.#seenHeading ? this.#rest : null);
    if (malformed !== null) return { kind: 'malformed', line: malformed.slice(0, 200) };
    return { kind: 'ok', tally: { established: this.#established, listening: this.#listening } };
  }

  #line(line: string): void {
    if (!this.#seenHeading) {
      if (heading.test(line)) this.#seenHeading = true;
      else this.#malformed = line;
      return;
    }
    const found = row.exec(line);
    if (found === null) {
      this.#malformed = line;
      return;
    }
    if (found[1] !== this.#port) return;
    if (found[2] === established) this.#established += 1;
    else if (found[2] === listen) this.#listening = true;
  }
}
