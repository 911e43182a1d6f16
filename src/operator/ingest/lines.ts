/** NDJSON from a request body, within a size: one parsed value a line. */
export async function* readLines(body: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<unknown> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let size = 0;
  let rest = '';
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes)
      throw new RangeError(`the body is larger than ${maxBytes} bytes; send fewer windows at a time`);
    const [first = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n');
    // Only what is new is searched: a line of many chunks would be searched from its begin with each of them.
    rest += first;
    for (const next of others) {
      if (rest !== '') yield parse(rest);
      rest = next;
    }
  }
  if (rest !== '') yield parse(rest);
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new RangeError('a line of the body is not JSON');
  }
}
