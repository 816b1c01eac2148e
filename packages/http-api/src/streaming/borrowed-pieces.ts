import { Readable, type Writable } from 'node:stream';

/**
 * The body of an answer whose pieces lie in memory that is used again. A group of pieces is written as one, and the next group
 * is asked for only when the system has taken them all; when the peer is gone no more is asked for.
 */
export class BorrowedPieces extends Readable {
  readonly #groups: AsyncIterable<readonly Uint8Array[]>;

  constructor(groups: AsyncIterable<readonly Uint8Array[]>) {
    super({ read: () => undefined });
    this.#groups = groups;
  }

  /** As the framework begins to send a stream. What a `Readable` does itself forgets when a piece is on its way. */
  override pipe<Target extends NodeJS.WritableStream>(target: Target): Target {
    this.#sendAll(target as unknown as Writable).then(
      () => {
        target.end();
        this.push(null);
        this.resume();
      },
      (error) => this.destroy(error),
    );
    return target;
  }

  async #sendAll(target: Writable): Promise<void> {
    for await (const pieces of this.#groups) {
      await writeTogether(target, pieces);
      if (target.destroyed || this.destroyed) throw new Error('the peer is gone');
    }
  }
}

/** Resolves when the system has taken all; rejects when the target ends before. */
function writeTogether(target: Writable, pieces: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error('the peer is gone'));
    if (target.destroyed) {
      onClose();
      return;
    }
    target.once('close', onClose);
    target.cork();
    for (const piece of pieces.slice(0, -1)) target.write(piece);
    target.write(pieces[pieces.length - 1], (error) => {
      target.off('close', onClose);
      if (error) reject(error);
      else resolve();
    });
    target.uncork();
  });
}
