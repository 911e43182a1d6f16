/**
 * The addresses of a cluster, all derived from one small number. Each cluster's node lives in a network namespace without
 * a default route, joined to the machine by one veth pair, so that nothing of it can leave the machine and two clusters
 * cannot meet, although both use the same ports and the same iptables chains.
 */
export interface ClusterNetwork {
  readonly index: number;
  /** The machine's end of the pair; the other end is `eth0` inside. */
  readonly hostLink: string;
  readonly hostIp: string;
  readonly nodeIp: string;
  readonly linkPrefix: number;
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** The API server as pods see it. */
  readonly apiServiceIp: string;
  readonly dnsServiceIp: string;
}

export const clusterCount = 32;

/** @param index 0 to 31 */
export function networkOf(index: number): ClusterNetwork {
  const services = `10.${96 + index}`;
  return {
    index,
    hostLink: `rgc${index}`,
    hostIp: `10.245.${index}.1`,
    nodeIp: `10.245.${index}.2`,
    linkPrefix: 30,
    podCidr: `10.${160 + index}.0.0/24`,
    serviceCidr: `${services}.0.0/16`,
    apiServiceIp: `${services}.0.1`,
    dnsServiceIp: `${services}.0.10`,
  };
}

export interface Route {
  /** `default`, an address, or address/prefix, as `ip -j route` prints it. */
  readonly dst: string;
  readonly dev?: string | undefined;
}

/** Lowest number that is not claimed and whose addresses and link the machine does not use already; undefined when there is none. */
export function chooseIndex(
  claimed: ReadonlySet<number>,
  routes: readonly Route[],
  links: readonly string[],
): number | undefined {
  for (let index = 0; index < clusterCount; index++) {
    const network = networkOf(index);
    if (claimed.has(index) || links.includes(network.hostLink)) continue;
    const ranges = [network.podCidr, network.serviceCidr, `${network.nodeIp}/${network.linkPrefix}`];
    if (!routes.some((route) => route.dst !== 'default' && ranges.some((range) => overlaps(range, route.dst))))
      return index;
  }
  return undefined;
}

/** Whether two IPv4 ranges share an address. */
export function overlaps(a: string, b: string): boolean {
  const [left, right] = [parseRange(a), parseRange(b)];
  if (left === undefined || right === undefined) return false;
  const shift = 32 - Math.min(left.prefix, right.prefix);
  return shift === 32 || left.address >>> shift === right.address >>> shift;
}

function parseRange(range: string): { address: number; prefix: number } | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(range);
  if (match === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = match.slice(1, 5).map(Number);
  return { address: ((a << 24) | (b << 16) | (c << 8) | d) >>> 0, prefix: Number(match[5] ?? 32) };
}
