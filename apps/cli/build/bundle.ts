import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';

/** Libraries that every start loads, and that are many small files. All others stay where npm put them. */
const BUNDLED_LIBRARIES = ['commander', 'fastify-type-provider-zod', 'ignore', 'pino', 'ws', 'zod'];
const OWN_SCOPE = '@cairn/';
const NAME = String.raw`[\w$]+`;
const BUILT_IN = new RegExp(
  `^import (?:(${NAME})|\\* as (${NAME})|\\{([^}]*)\\}|(${NAME}), \\{([^}]*)\\}) from "(node:[^"]+)";$`,
  'gm',
);
const THREAD = /new URL\(\s*'(\.[^']+\.ts)',\s*import\.meta\.url\s*\)/g;

type FileRecord = readonly [path: string, bytes: number, modifiedMs: number, sha256: string];

/** What was put together out of what, for `bin/find-program.js`: paths below the repository, and what they were then. */
interface BundleManifest {
  readonly format: 1;
  readonly files: readonly FileRecord[];
}

/**
 * Puts the command line, the daemon and the server together into a few files of JavaScript, which start in less time and
 * memory than hundreds of modules whose types are stripped (docs/adr/0034). Until it has ended no bundle is there.
 * @param root the repository
 * @param folder where to; what else is in it is deleted
 * @returns paths of the files written, relative to `folder`
 */
export async function buildBundle(root: string, folder: string): Promise<string[]> {
  const manifestPath = join(folder, 'manifest.json');
  rmSync(manifestPath, { force: true });
  mkdirSync(folder, { recursive: true });
  const inputs = new Map<string, FileRecord>();
  const bundle = await rolldown({
    cwd: root,
    input: { main: join(root, 'apps', 'cli', 'src', 'main.ts') },
    platform: 'node',
    external: isExternal,
    plugins: [rememberInputs(root, inputs), keepPlaces(folder), takeBuiltInsAsTheyAre()],
    onwarn(warning) {
      throw new Error(`bundle: ${warning.message}`);
    },
  });
  const { output } = await bundle.generate({
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name]-[hash].mjs',
    sourcemap: true,
    comments: false,
  });
  await bundle.close();
  const names = output.map(({ fileName }) => fileName).sort();
  for (const file of output)
    writeFileSync(join(folder, file.fileName), file.type === 'chunk' ? inAscii(file.code) : file.source);
  for (const name of readdirSync(folder))
    if (!names.includes(name)) rmSync(join(folder, name), { recursive: true });
  // Of its own files, too: after a power cut, what was written last may be there without what was written before.
  const programs = names.filter((name) => name.endsWith('.mjs')).map((name) => join(folder, name));
  const files = [...inputs.values(), ...programs.map((program) => recordFile(root, program))];
  writeFileSync(manifestPath, JSON.stringify({ format: 1, files } satisfies BundleManifest));
  return names;
}

/** One sign beyond ASCII has the runtime keep a whole file with two bytes for each. */
function inAscii(code: string): string {
  return code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function isExternal(id: string): boolean {
  const isPath = id.startsWith('.') || id.startsWith('/') || /^[A-Za-z]:[\\/]/.test(id);
  return (
    !isPath &&
    !id.startsWith(OWN_SCOPE) &&
    !BUNDLED_LIBRARIES.some((name) => id === name || id.startsWith(`${name}/`))
  );
}

function recordFile(root: string, file: string): FileRecord {
  const { size, mtimeMs } = statSync(file);
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
  return [relative(root, file).split(sep).join('/'), size, mtimeMs, sha256];
}

/** Each of our own modules, and of each package what says which version it is and what it exports. */
function rememberInputs(root: string, inputs: Map<string, FileRecord>): Plugin {
  function remember(file: string): void {
    if (!inputs.has(file)) inputs.set(file, recordFile(root, file));
  }
  return {
    name: 'remember-inputs',
    load(id) {
      if (id.startsWith('\0')) return null;
      if (!relative(root, id).split(sep).includes('node_modules')) remember(id);
      remember(manifestOfPackage(id));
      return null;
    },
  };
}

function manifestOfPackage(id: string): string {
  for (let folder = dirname(id); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    // Some folders in a library have one of their own, without a version.
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version !== undefined)
      return manifest;
    if (folder === dirname(folder)) throw new Error(`bundle: ${id} belongs to no package`);
  }
}

/** Modules find files beside their sources still, and threads their programs in the bundle. */
function keepPlaces(folder: string): Plugin {
  return {
    name: 'keep-places',
    transform(code, id) {
      if (!id.endsWith('.ts') || !code.includes('import.meta')) return null;
      const source = relative(folder, id).split(sep).join('/');
      const url = `new URL(${JSON.stringify(source)}, import.meta.url).href`;
      const parent = `(import.meta.dirname + ${JSON.stringify(`/${posix.dirname(source)}`)})`;
      return {
        code: code
          .replace(THREAD, (_, specifier: string) => {
            const reference = this.emitFile({ type: 'chunk', id: join(dirname(id), specifier) });
            return `new URL(import.meta.ROLLDOWN_FILE_URL_${reference})`;
          })
          .replaceAll('import.meta.url', url)
          .replaceAll('import.meta.dirname', parent),
        map: null,
      };
    },
  };
}

/**
 * Whoever imports a built-in module has all made that it exports: of the file system its streams and promises, for instance,
 * 25 ms. What is not asked for stays unmade if the module itself is asked.
 */
function takeBuiltInsAsTheyAre(): Plugin {
  return {
    name: 'take-built-ins-as-they-are',
    renderChunk(code) {
      return {
        code: code.replace(BUILT_IN, (_, whole, all, some, first, others, name) => {
          const object = `process.getBuiltinModule("${name}")`;
          const names = (some ?? others ?? '').replace(/([\w$]+) as ([\w$]+)/g, '$1: $2');
          const variable = whole ?? all ?? first;
          return [
            ...(variable === undefined ? [] : [`const ${variable} = ${object};`]),
            ...(names === '' ? [] : [`const {${names}} = ${object};`]),
          ].join(' ');
        }),
        map: null,
      };
    },
  };
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..', '..', '..');
  const names = await buildBundle(root, join(root, 'apps', 'cli', 'dist'));
  console.log(names.join('\n'));
}
