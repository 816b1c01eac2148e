/** The lines of a document between which a command writes what it measured. */
export interface BlockMarks {
  readonly begin: string;
  readonly end: string;
}

/**
 * @param name of the block
 * @param command that writes it
 */
export function blockMarks(name: string, command: string): BlockMarks {
  return { begin: `<!-- ${name}: begin (written by "${command}") -->`, end: `<!-- ${name}: end -->` };
}

/**
 * Puts a report into a document, between its markers.
 * @throws Error where the document has no markers
 */
export function replaceBlock(document: string, markdown: string, { begin, end }: BlockMarks): string {
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the document lacks the lines ${begin} and ${end}`);
  return `${document.slice(0, from + begin.length)}\n\n${markdown}\n\n${document.slice(to)}`;
}
