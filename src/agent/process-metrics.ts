/**
 * The agent's own use of the machine. Not prom-client's default metrics: their measure of the event loop's delay wakes the process a hundred
 * times a second, which costs more than watching a dozen containers.
 */
import { readdirSync } from 'node:fs';
import { Counter, Gauge, type Registry } from 'prom-client';

export function collectProcessMetrics(registry: Registry, prefix: string): void {
  const registers = [registry];
  new Counter({
    name: `${prefix}process_cpu_seconds_total`,
    help: 'User and system CPU time.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name: `${prefix}${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  gauge('process_start_time_seconds', 'When the process began, Unix time.', () => startedAtSeconds);
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  gauge('process_open_fds', 'Open file descriptors.', () => readdirSync('/proc/self/fd').length);
  gauge('nodejs_heap_size_used_bytes', 'Used heap of V8.', () => process.memoryUsage().heapUsed);
  gauge('nodejs_heap_size_total_bytes', 'Heap that V8 has taken.', () => process.memoryUsage().heapTotal);
}

const startedAtSeconds = Math.round(Date.now() / 1000 - process.uptime());
