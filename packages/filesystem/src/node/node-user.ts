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
import type { UserOperations } from '../memory/memory-user.ts';
import { secondsOf } from './file-attributes.ts';

/** As the simulated user: never through a link. */
const WRITE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** A user at work in a real folder, for tests. */
export function createNodeUser(root: string): UserOperations {
  const at = (path: string) => `${root}/${path}`;
  return {
    writeFile: (path, content) => {
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
    makeLink: (path, target) => symlinkSync(target, at(path)),
    makeHardLink: (from, to) => linkSync(at(from), at(to)),
    setExecutable: (path, executable) => chmodSync(at(path), executable ? 0o755 : 0o644),
    setModifiedAt: (path, modifiedAtUs) =>
      lutimesSync(at(path), secondsOf(modifiedAtUs), secondsOf(modifiedAtUs)),
    makeFifo: (path) => void execFileSync('mkfifo', [at(path)]),
    describe() {
      const lines: string[] = [];
      const walk = (prefix: string): void => {
        for (const name of readdirSync(at(prefix))) {
          const path = prefix + name;
          if (path === '.cairn') continue;
          const status = lstatSync(at(path));
          if (status.isDirectory()) {
            lines.push(`${path} folder`);
            walk(`${path}/`);
          } else if (status.isSymbolicLink()) lines.push(`${path} link ${readlinkSync(at(path))}`);
          else if (status.isFile()) {
            const executable = (status.mode & 0o100) !== 0 ? ' x' : '';
            lines.push(`${path} file ${readFileSync(at(path)).toString('hex')}${executable}`);
          } else lines.push(`${path} other`);
        }
      };
      walk('');
      return lines.sort();
    },
  };
}
