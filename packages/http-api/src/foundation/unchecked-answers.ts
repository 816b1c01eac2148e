import type { FastifyReply } from 'fastify';

/**
 * Leaves the answer's schema to the compiler and to the documentation. For long lists of what the server itself
 * stored after checking it: to check 1,000 journal rows once more takes as long as to read and write them.
 */
export function answerUnchecked(reply: FastifyReply): void {
  reply.type('application/json; charset=utf-8').serializer((payload: unknown) => JSON.stringify(payload));
}
