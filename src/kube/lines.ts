/**
 * Splits bytes into lines as they come, without their line feed. A chunk may end anywhere, also inside a character.
 * Bytes after the last line feed are an unfinished line: they are returned at the end, not yielded.
 */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, string> {
  const decoder = new TextDecoder();
  // Pieces, not one growing string: a long line in many chunks would else be copied once a chunk.
  let pieces: string[] = [];
  for await (const chunk of chunks) {
    let rest = decoder.decode(chunk, { stream: true });
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      pieces.push(rest.slice(0, end));
      yield pieces.join('');
      pieces = [];
      rest = rest.slice(end + 1);
    }
    if (rest !== '') pieces.push(rest);
  }
  return pieces.join('') + decoder.decode();
}
