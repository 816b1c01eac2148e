const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * A name as it is shown: characters that turn the direction of writing become visible, so that no name can look as if
 * it had another ending, or turn around the sentence that it is in.
 */
export function shownName(name: string): string {
  return name.replace(TURNING, '\ufffd');
}
