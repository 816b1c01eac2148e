/** An answer that is none, or goes beyond a limit: whoever sent it is not to be talked to. */
export class MalformedResponse extends Error {
  /** As for any peer that does not speak the protocol. */
  readonly code = 'EPROTO';

  constructor(what: string) {
    super(`the answer is not valid HTTP: ${what}`);
    this.name = 'MalformedResponse';
  }
}
