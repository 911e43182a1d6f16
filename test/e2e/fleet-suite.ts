/** The stories of small robots: begun at the same time, and what each of them comes to. */
import { describe } from 'vitest';
import type { Cluster } from '../cluster/cluster.ts';
import { lowering, lowerTests } from './lower-suite.ts';
import { canary, canaryTests, daemon, daemonTests, takenBack, takenBackTests } from './owners-suite.ts';
import { failedPersist, failedPersistTests, persist, persistTests } from './persist-suite.ts';
import { program, programTests } from './program-suite.ts';
import { begin } from './stories.ts';

export function beginFleet(cluster: Cluster) {
  return {
    canary: begin(cluster, canary),
    takenBack: begin(cluster, takenBack),
    daemon: begin(cluster, daemon),
    persist: begin(cluster, persist),
    failedPersist: begin(cluster, failedPersist),
    program: begin(cluster, program),
    lowering: begin(cluster, lowering),
  };
}

export function fleetTests(cluster: () => Cluster, fleet: () => ReturnType<typeof beginFleet>): void {
  describe('a StatefulSet', () => canaryTests(() => fleet().canary));
  describe('a StatefulSet whose pods do not start with it', () => takenBackTests(() => fleet().takenBack));
  describe('a DaemonSet', () => daemonTests(() => fleet().daemon));
  describe('persist', () => persistTests(() => fleet().persist));
  describe('persist, of pods that cannot be made any more', () => failedPersistTests(() => fleet().failedPersist));
  describe('a program that follows a file', () => programTests(cluster, () => fleet().program));
  describe('a limit that was raised', () => lowerTests(() => fleet().lowering));
}
