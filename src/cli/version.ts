/** Set by the build; run from source there is none. */
declare const ROBOTGC_VERSION: string | undefined;

export const version = typeof ROBOTGC_VERSION === 'string' ? ROBOTGC_VERSION : 'development';
