import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { StageUser } from './stage.ts';

const PRIVATE_FOLDER = '.cairn';
/** As the simulated user: never through a link. */
const WRITE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** A user at work in a real folder. */
export function createFolderUser(root: string): StageUser {
  const at = (path: string) => join(root, path);
  function* walk(below: string): Generator<string> {
    for (const name of readdirSync(at(below))) {
      const path = below === '' ? name : `${below}/${name}`;
      if (path === PRIVATE_FOLDER) continue;
      const status = lstatSync(at(path));
      if (status.isDirectory()) {
        yield `${path} folder`;
        yield* walk(path);
      } else if (status.isSymbolicLink()) yield `${path} link ${readlinkSync(at(path))}`;
      else if (status.isFile()) {
        const executable = (status.mode & 0o100) !== 0 ? ' x' : '';
        yield `${path} file ${readFileSync(at(path)).toString('hex')}${executable}`;
      } else yield `${path} other`;
    }
  }
  return {
    writeFile(path, content) {
      const descriptor = openSync(at(path), WRITE, 0o666);
      try {
        writeFileSync(descriptor, content);
      } finally {
        closeSync(descriptor);
      }
    },
    readFile: (path) => readFileSync(at(path)),
    makeFolder: (path) => mkdirSync(at(path)),
    rename: (from, to) => renameSync(at(from), at(to)),
    remove: (path) => rmSync(at(path), { recursive: true }),
    makeHardLink: (path, newPath) => linkSync(at(path), at(newPath)),
    makeLink: (path, target) => symlinkSync(target, at(path)),
    setExecutable: (path, executable) => chmodSync(at(path), executable ? 0o755 : 0o644),
    // As text, since Node takes a negative number for "now"; half a microsecond more, since it cuts off.
    setModifiedAt(path, modifiedAtUs) {
      const seconds = String((modifiedAtUs + 0.5) / 1e6);
      lutimesSync(at(path), seconds, seconds);
    },
    modifiedAtNs: (path) => lstatSync(at(path), { bigint: true }).mtimeNs,
    makeFifo: (path) => void execFileSync('mkfifo', [at(path)]),
    describe: () => [...walk('')].sort(),
  };
}

/** Bytes of everything in a real folder's rescue area. */
export function readRescued(root: string): Uint8Array[] {
  const folder = join(root, PRIVATE_FOLDER, 'rescue');
  try {
    return readdirSync(folder)
      .filter((name) => lstatSync(join(folder, name)).isFile())
      .map((name) => readFileSync(join(folder, name)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The folder goes away and an empty one is in its place, as under a mount point; and comes back. */
export function mountFolder(root: string, isMounted: boolean): void {
  if (isMounted) {
    rmSync(root, { recursive: true });
    renameSync(`${root}.away`, root);
  } else {
    renameSync(root, `${root}.away`);
    mkdirSync(root);
  }
}
