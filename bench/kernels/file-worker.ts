import { parentPort, workerData } from 'node:worker_threads';
import { cutAndHashFile } from './file-work.ts';

/** One of two workers: cuts and hashes its file each time that it is told to. */
parentPort?.on('message', () => {
  cutAndHashFile(workerData as string);
  parentPort?.postMessage(null);
});
