/** NDJSON from a request body, within a size: one parsed value a line. */
export async function* readLines(body: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<unknown> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let size = 0;
  let rest = '';
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes)
      throw new RangeError(`the body is larger than ${maxBytes} bytes; send fewer windows at a time`);
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield parse(line);
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
