import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { StoreKey } from '@cairn/block-store';
import { CairnError } from '@cairn/model';
import { parseBlocksKey, readBlocksKeyFile } from './blocks-key.ts';
import { parseBlocks, showBlocks } from './blocks-setting.ts';
import { isLoopbackHost } from './loopback.ts';
import type { BlocksSetting } from './open-blocks.ts';

export interface ServerConfig {
  /** Absolute path of the data folder. */
  readonly data: string;
  readonly host: string;
  readonly port: number;
  readonly signUp: 'open' | 'invite';
  /** `null`: a new one is made at each start, where one is needed. */
  readonly setUpCode: string | null;
  /** `null`: the one in the data folder. */
  readonly secret: string | null;
  readonly blocks: BlocksSetting;
  /** Absolute path of the file with the key of the block store; `null` for none. */
  readonly blocksKeyFile: string | null;
  /** What seals the block store, from that file or the environment; `null` for a store that is not sealed. */
  readonly blocksKey: StoreKey | null;
  readonly trustedProxies: readonly string[];
  readonly logLevel: LogLevel;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** What the command line says; texts as they were typed. */
export interface ServerFlags {
  readonly data?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly config?: string | undefined;
}

export interface Setting {
  readonly name: keyof ServerConfig;
  /** As it may be shown: secrets are masked. */
  readonly shown: string;
  /** `flag --port`, `CAIRN_PORT`, the config file's path, or `default`. */
  readonly source: string;
}

export interface LoadedConfig {
  readonly config: ServerConfig;
  readonly settings: readonly Setting[];
}

type Variables = Readonly<Record<string, string | undefined>>;

const VARIABLES: Readonly<Record<keyof ServerConfig, string>> = {
  data: 'CAIRN_DATA',
  host: 'CAIRN_HOST',
  port: 'CAIRN_PORT',
  signUp: 'CAIRN_SIGNUP',
  setUpCode: 'CAIRN_SETUP_CODE',
  secret: 'CAIRN_SECRET',
  blocks: 'CAIRN_BLOCKS',
  blocksKeyFile: 'CAIRN_BLOCKS_KEY_FILE',
  blocksKey: 'CAIRN_BLOCKS_KEY',
  trustedProxies: 'CAIRN_TRUSTED_PROXIES',
  logLevel: 'CAIRN_LOG_LEVEL',
};
const SECRET_NAMES: ReadonlySet<string> = new Set(['secret', 'setUpCode', 'blocksKey']);
const MIN_SECRET_CHARACTERS = 32;
const MIN_SET_UP_CODE_CHARACTERS = 8;

function usage(message: string): CairnError {
  return new CairnError('usage', message);
}

/** Settings of the embedded server only; those of bigger set-ups are refused rather than ignored. */
function refuseUnsupported(variables: Variables): void {
  for (const [name, what] of [
    ['DATABASE_URL', 'another database than the embedded SQLite'],
    ['REDIS_URL', 'Redis'],
  ] as const) {
    if ((variables[name] ?? '') !== '') {
      throw usage(`${name} is set, but ${what} is not yet supported; unset it to use the embedded one`);
    }
  }
}

function readConfigFile(path: string, isNamed: boolean): Readonly<Record<string, string>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (!isNamed && (error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new CairnError('usage', `the config file ${path} cannot be read; check its path and its rights`, {
      cause: error,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CairnError('usage', `the config file ${path} is not JSON; mend or remove it`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usage(`the config file ${path} must hold a JSON object`);
  }
  const settings: Record<string, string> = {};
  for (const [name, setting] of Object.entries(value)) {
    if (!Object.hasOwn(VARIABLES, name) || name === 'data') {
      throw usage(`the config file ${path} has an unknown setting "${name}"; remove it`);
    }
    if (name === 'blocksKey') {
      // A key beside what it seals seals nothing.
      throw usage(
        `the config file ${path} must not hold the key "${name}"; name a file on another disk with "blocksKeyFile"`,
      );
    }
    settings[name] = Array.isArray(setting) ? setting.join(',') : String(setting);
  }
  return settings;
}

function parsePort(text: string, source: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65535)) throw usage(`the port "${text}" (${source}) is not a number from 0 to 65535`);
  return port;
}

function parseChoice<Choice extends string>(
  text: string,
  choices: readonly Choice[],
  source: string,
): Choice {
  const choice = choices.find((one) => one === text);
  if (choice === undefined) throw usage(`"${text}" (${source}) is not one of ${choices.join(', ')}`);
  return choice;
}

function parseLength(text: string, minimum: number, source: string): string {
  if (text.length < minimum)
    throw usage(`${source} is too short; give it at least ${minimum} random characters`);
  return text;
}

/**
 * The effective configuration: flags beat the environment, which beats the config file, which beats the
 * defaults. Throws `usage` for what is wrong or not supported, naming where it was said.
 * @param cwd what relative paths start from
 */
export function loadConfig(flags: ServerFlags, variables: Variables, cwd: string): LoadedConfig {
  refuseUnsupported(variables);
  const settings: Setting[] = [];
  let file: Readonly<Record<string, string>> = {};
  let filePath = '';

  function setting<Value>(
    name: keyof ServerConfig,
    fallback: Value,
    parse: (text: string, source: string) => Value,
    show: (value: Value) => string = String,
  ): Value {
    const flag = name === 'data' || name === 'host' || name === 'port' ? flags[name] : undefined;
    const candidates: [string | undefined, string][] = [
      [flag, `flag --${name}`],
      [variables[VARIABLES[name]], VARIABLES[name]],
      [Object.hasOwn(file, name) ? file[name] : undefined, filePath],
    ];
    const [text, source] = candidates.find(([candidate]) => (candidate ?? '') !== '') ?? [
      undefined,
      'default',
    ];
    const value = text === undefined ? fallback : parse(text, source);
    const shown = SECRET_NAMES.has(name) && value !== null ? '********' : show(value);
    settings.push({ name, shown, source });
    return value;
  }

  const data = setting('data', resolve(cwd, 'cairn-data'), (text) => resolve(cwd, text));
  filePath = flags.config === undefined ? join(data, 'cairn.json') : resolve(cwd, flags.config);
  file = readConfigFile(filePath, flags.config !== undefined);
  const orGenerated = (value: string | null) => value ?? '(made by the server)';
  const host = setting('host', '127.0.0.1', (text) => text);
  const orNone = (value: unknown) => (value === null ? '(none)' : String(value));
  const blocksKeyFile = setting<string | null>('blocksKeyFile', null, (text) => resolve(cwd, text), orNone);
  const givenKey = setting<StoreKey | null>('blocksKey', null, parseBlocksKey, orNone);
  if (givenKey !== null && blocksKeyFile !== null) {
    throw usage('both CAIRN_BLOCKS_KEY and CAIRN_BLOCKS_KEY_FILE (blocksKeyFile) are set; unset one of them');
  }
  const config: ServerConfig = {
    data,
    host,
    port: setting('port', 8000, parsePort),
    signUp: setting<'open' | 'invite'>('signUp', isLoopbackHost(host) ? 'open' : 'invite', (text, source) =>
      parseChoice(text, ['open', 'invite'], source),
    ),
    setUpCode: setting<string | null>(
      'setUpCode',
      null,
      (text, source) => parseLength(text.trim(), MIN_SET_UP_CODE_CHARACTERS, source),
      orGenerated,
    ),
    secret: setting<string | null>(
      'secret',
      null,
      (text, source) => parseLength(text, MIN_SECRET_CHARACTERS, source),
      orGenerated,
    ),
    blocks: setting<BlocksSetting>(
      'blocks',
      { kind: 'folder', directory: join(data, 'blocks') },
      parseBlocks,
      showBlocks,
    ),
    blocksKeyFile,
    blocksKey: blocksKeyFile === null ? givenKey : readBlocksKeyFile(blocksKeyFile),
    trustedProxies: setting<readonly string[]>(
      'trustedProxies',
      [],
      (text) => text.split(',').map((part) => part.trim()),
      (proxies) => (proxies.length === 0 ? '(none)' : proxies.join(',')),
    ),
    logLevel: setting<LogLevel>('logLevel', 'info', (text, source) =>
      parseChoice(text, ['debug', 'info', 'warn', 'error', 'silent'], source),
    ),
  };
  return { config, settings };
}

/** What `--print-config` prints: one line a setting, with where it came from; secrets are masked. */
export function describeConfig(loaded: LoadedConfig): string {
  const width = Math.max(...loaded.settings.map(({ name }) => name.length));
  return loaded.settings
    .map(({ name, shown, source }) => `${name.padEnd(width)}  ${shown}  (${source})\n`)
    .join('');
}
