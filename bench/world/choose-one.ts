/** The name that an option gives, the first one where it is not given. Throws Error for any other. */
export function chooseOne<Name extends string>(
  option: string,
  given: string | undefined,
  names: readonly Name[],
): Name {
  const chosen = names.find((each) => each === (given ?? names[0]));
  if (chosen === undefined) throw new Error(`--${option} is one of ${names.join(', ')}`);
  return chosen;
}
