/** A function of objects that are never written to, which gives the very same answer again when it is asked the very same again. */
export function remembered<Args extends readonly unknown[], Answer>(
  answer: (...args: Args) => Answer,
): (...args: Args) => Answer {
  let latest: { readonly args: Args; readonly answer: Answer } | null = null;
  return (...args) => {
    if (latest === null || args.some((arg, at) => arg !== latest?.args[at])) latest = { args, answer: answer(...args) };
    return latest.answer;
  };
}
