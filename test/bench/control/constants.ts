/**
 * What a byte costs the robot of test/robots on the machine of docs/measurements.md: Go 1.26.8, two cores. Live heap, allocation and the CPU to mark
 * are fitted to what test/robots/README.md measured on an idle machine; `npm run bench -- control --real` holds the model against robots anew.
 * Everything else of it is the runtime's source, or assumed where it says so.
 */
const MIB = 2 ** 20;

/** GOMAXPROCS. */
export const PROCESSORS = 2;
/** CPU seconds to mark a byte that is live: with GOGC=10 the collector then takes 19 % of the processors, measured were 16 % (real-time priority) to 25 %. */
export const MARK_SECONDS_PER_BYTE = 0.7e-9;
/** CPU seconds of the program for a byte that it allocates. */
export const PROGRAM_SECONDS_PER_BYTE = 2.9e-9;
/** Stacks (15 KB) and globals (208 KB), by the robot's own books. */
export const ROOTS_BYTES = 222_000;
/** What a robot keeps alive, and allocates each second. */
export const LIVE_BYTES_PER_ROBOT = 7_000;
export const ALLOC_BYTES_PER_ROBOT_SECOND = 7_200;
/** State machines step together, ten times a second: 2,500 transitions of 16 KB of the 72 MB that all robots allocate in a second. */
export const BEAT_SECONDS = 0.1;
export const BEAT_SHARE = 0.55;
/** The largest thing that an event allocates at once: what a mark assist is charged for. */
export const EVENT_BYTES = 16 * 1024;
/** Goroutines that allocate at the same time. */
export const WORKERS = 8;
/** Stops of the world: a median with a long tail (σ of its logarithm); the tail is assumed. */
export const PAUSE_MEDIAN_SECONDS = 0.1e-3;
export const PAUSE_SIGMA = 1;
/** Of spans that are in use, what is not; with the next two, resident memory is within 5 % of the robot's (median of 16). */
export const FRAGMENTATION = 0.05;
/** Stacks, spans, mark bits and the like, which the runtime counts as its own. */
export const RUNTIME_BYTES = 7 * MIB;
/** The binary's pages and what else the kernel counts to the container. */
export const NON_GO_BYTES = 6 * MIB;
/** The scavenger keeps so much more than the heap's goal, and gives the rest back at this pace (runtime/mgcscavenge.go; the pace is assumed). */
export const RETAINED = 1.1;
export const SCAVENGED_BYTES_PER_SECOND = 8 * MIB;
