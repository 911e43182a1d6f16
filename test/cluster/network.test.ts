import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseIndex, clusterCount, networkOf, overlaps } from './network.ts';

const indexes = fc.integer({ min: 0, max: clusterCount - 1 });
const rangesOf = (index: number) => {
  const network = networkOf(index);
  return [network.podCidr, network.serviceCidr, `${network.hostIp}/${network.linkPrefix}`];
};

describe('the addresses of a cluster', () => {
  it('share nothing with those of another, nor among themselves', () => {
    fc.assert(
      fc.property(indexes, indexes, (a, b) => {
        for (const left of rangesOf(a)) {
          for (const right of rangesOf(b)) {
            expect(overlaps(left, right)).toBe(a === b && left === right);
          }
        }
      }),
    );
  });

  it('keep the API and DNS addresses inside the service range and the link ends on one link', () => {
    fc.assert(
      fc.property(indexes, (index) => {
        const network = networkOf(index);
        expect(overlaps(network.serviceCidr, network.apiServiceIp)).toBe(true);
        expect(overlaps(network.serviceCidr, network.dnsServiceIp)).toBe(true);
        expect(overlaps(`${network.hostIp}/${network.linkPrefix}`, network.nodeIp)).toBe(true);
        expect(network.hostLink.length).toBeLessThanOrEqual(15); // the kernel's limit for a link's name
      }),
    );
  });
});

describe('overlaps', () => {
  it.each([
    ['10.0.0.0/8', '10.200.3.4', true],
    ['10.96.0.0/16', '10.97.0.0/16', false],
    ['10.96.0.0/16', '10.96.255.255', true],
    ['0.0.0.0/0', '192.0.2.1', true],
    ['192.0.2.0/24', '192.0.2.128/25', true],
    ['192.0.2.1', '192.0.2.1', true],
    ['fd00::/64', '10.0.0.0/8', false],
  ])('%s and %s: %s', (a, b, expected) => {
    expect(overlaps(a, b)).toBe(expected);
    expect(overlaps(b, a)).toBe(expected);
  });
});

describe('choosing a number', () => {
  it('takes the lowest that nobody holds', () => {
    expect(chooseIndex(new Set(), [], [])).toBe(0);
    expect(chooseIndex(new Set([0, 1, 3]), [], [])).toBe(2);
  });

  it('leaves out numbers whose link exists or whose addresses the machine uses', () => {
    const routes = [{ dst: 'default' }, { dst: '10.97.3.0/24', dev: 'vpn0' }, { dst: '10.245.2.1' }];
    expect(chooseIndex(new Set(), routes, ['rgc0'])).toBe(3);
  });

  it('says so when none is left', () => {
    expect(chooseIndex(new Set(), [{ dst: '10.0.0.0/8' }], [])).toBeUndefined();
    expect(chooseIndex(new Set(Array.from({ length: clusterCount }, (_, index) => index)), [], [])).toBeUndefined();
  });
});
