import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
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

/** What was put together, for `bin/find-program.js`: sorted paths below the repository, and what they were then. */
interface BundleManifest {
  readonly format: 1;
  readonly files: readonly (readonly [path: string, bytes: number, modifiedMs: number, sha256: string])[];
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
  const inputs = new Map<string, BundleManifest['files'][number]>();
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
  const files = [...inputs.values()].sort(([a], [b]) => (a < b ? -1 : 1));
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

/** Each of our own modules, and of each package what says which version it is and what it exports. */
function rememberInputs(root: string, inputs: Map<string, BundleManifest['files'][number]>): Plugin {
  function remember(file: string): void {
    const path = relative(root, file).split(sep).join('/');
    if (inputs.has(path)) return;
    const { size, mtimeMs } = statSync(file);
    inputs.set(path, [path, size, mtimeMs, createHash('sha256').update(readFileSync(file)).digest('hex')]);
  }
  return {
    name: 'remember-inputs',
    load(id) {
      if (id.startsWith('\0')) return null;
      if (!id.includes(`${sep}node_modules${sep}`)) remember(id);
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
 * Whoever imports a built-in module has all made that it exports, of the file system streams and promises, for instance:
 * 60 ms at every start. What is not asked for stays unmade if the module itself is asked.
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

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = join(import.meta.dirname, '..', '..', '..');
  const names = await buildBundle(root, join(root, 'apps', 'cli', 'dist'));
  console.log(names.join('\n'));
}
