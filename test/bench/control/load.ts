/** What a program has to do, and what it is set to. */

export interface Load {
  /** Memory that the program can reach. */
  readonly reachableBytes: number;
  readonly allocBytesPerSecond: number;
  /** Of what is allocated, the share that comes in beats, ten times a second, as state machines on a bus cycle do. */
  readonly beatShare: number;
  readonly activeRobots: number;
  /** That the container gets; a busy neighbour leaves less than GOMAXPROCS. */
  readonly processors: number;
  /** Share of the time in which tasks of the container wait for the node's memory, whatever they use. */
  readonly nodePressure: number;
}

export interface Knobs {
  /** −1: off. */
  readonly gogc: number;
  readonly goMemLimitBytes: number | null;
}
