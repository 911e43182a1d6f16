/** Stands between an agent and its operator, passes everything on, and keeps the windows that the operator took. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { portOf } from '../../../test/cluster/ports.ts';
import { SignalWindow } from '../../model/index.ts';

export class WindowRecorder {
  readonly windows: SignalWindow[] = [];
  readonly #server: Server;
  readonly #operatorUrl: string;

  private constructor(operatorUrl: string) {
    this.#operatorUrl = operatorUrl;
    this.#server = createServer((incoming, outgoing) => this.#pass(incoming, outgoing));
  }

  static async start(operatorUrl: string): Promise<WindowRecorder> {
    const recorder = new WindowRecorder(operatorUrl);
    recorder.#server.listen(0, '127.0.0.1');
    await once(recorder.#server, 'listening');
    return recorder;
  }

  get url(): string {
    return `http://127.0.0.1:${portOf(this.#server)}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method, url = '/', headers } = incoming;
    const body: Buffer[] = [];
    const passed = request(new URL(url, this.#operatorUrl), { method, headers, agent: false }, (answer) => {
      if (url === '/v1/windows' && answer.statusCode === 204) this.#keep(Buffer.concat(body).toString('utf8'));
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    // The operator or the agent is not there: to the other that is a connection cut off.
    passed.on('error', () => outgoing.destroy());
    incoming.on('error', () => passed.destroy());
    incoming.on('data', (chunk: Buffer) => body.push(chunk));
    incoming.pipe(passed);
  }

  #keep(text: string): void {
    for (const line of text.split('\n')) if (line !== '') this.windows.push(SignalWindow.parse(JSON.parse(line)));
  }
}
