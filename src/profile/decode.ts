import { Profile as Encoded } from 'pprof-format';
import { type Frame, type Profile, ProfileError } from './model.ts';
import { countSamples } from './wire.ts';

/**
 * A few bytes can name one long inlined location over and over. Go's own profiles hold at most 128 locations a sample, a few thousand
 * samples: far below this.
 */
const maxFrames = 5_000_000;

/**
 * Decodes the protobuf of a pprof profile (already gunzipped) and resolves its references.
 * @throws ProfileError `malformed` for bytes that are no profile, `inconsistent` for references into nothing
 */
export function decodeProfile(bytes: Uint8Array): Profile {
  countSamples(bytes);
  const encoded = decodeEncoded(bytes);
  const text = textReader(encoded.stringTable.strings);
  const sampleTypes = encoded.sampleType.map(({ type, unit }) => ({ type: text(type), unit: text(unit) }));
  if (sampleTypes.length === 0) throw new ProfileError('inconsistent', 'the profile names no sample type');
  const stackOf = stackReader(encoded, text);
  let frames = 0;
  const samples = encoded.sample.map(({ value, locationId }) => {
    if (value.length !== sampleTypes.length) {
      throw new ProfileError(
        'inconsistent',
        `a sample has ${value.length} values, the profile ${sampleTypes.length} sample types`,
      );
    }
    for (const id of locationId) frames += stackOf(id).length;
    if (frames > maxFrames)
      throw new ProfileError('inconsistent', `the stacks have more than ${maxFrames} frames in all`);
    return { values: value.map(signed), stack: locationId.flatMap(stackOf) };
  });
  const { timeNanos, durationNanos, period } = encoded;
  return { sampleTypes, samples, timeNs: signed(timeNanos), durationNs: signed(durationNanos), period: signed(period) };
}

function decodeEncoded(bytes: Uint8Array): Encoded {
  try {
    return Encoded.decode(bytes);
  } catch (cause) {
    throw new ProfileError('malformed', 'not a well-formed profile', cause);
  }
}

type Numeric = number | bigint;

/** int64 comes as the two's complement of an unsigned number. */
function signed(value: Numeric): number {
  return typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : value;
}

function textReader(strings: readonly string[]): (index: Numeric) => string {
  return (index) => {
    const text = strings[Number(index)];
    if (text === undefined)
      throw new ProfileError('inconsistent', `string ${index} of ${strings.length} is referred to`);
    return text;
  };
}

/** Location id → its frames, innermost first; each location is resolved once and shared. */
function stackReader(encoded: Encoded, text: (index: Numeric) => string): (id: Numeric) => readonly Frame[] {
  const functions = new Map(
    encoded.function.map((fn) => [Number(fn.id), { function: text(fn.name), file: text(fn.filename) }]),
  );
  const locations = new Map<number, readonly Frame[]>();
  for (const location of encoded.location) {
    const frames = location.line.map(({ functionId, line }) => {
      const fn = functions.get(Number(functionId));
      if (!fn) throw new ProfileError('inconsistent', `function ${functionId} is referred to and missing`);
      return { ...fn, line: signed(line) };
    });
    locations.set(Number(location.id), frames.length > 0 ? frames : [{ function: '', file: '', line: 0 }]);
  }
  return (id) => {
    const frames = locations.get(Number(id));
    if (!frames) throw new ProfileError('inconsistent', `location ${id} is referred to and missing`);
    return frames;
  };
}
