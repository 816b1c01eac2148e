import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The system's Chromium: `CHROMIUM` of the environment, else the first of its usual names; null if there is none. */
export function findChromium(): string | null {
  const told = process.env['CHROMIUM'];
  if (told !== undefined && told !== '') return told;
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/bin',
    '/usr/local/bin',
    '/snap/bin',
  ];
  const paths = folders
    .filter((folder) => folder !== '')
    .flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return paths.find(isProgram) ?? null;
}

export const WITHOUT_CHROMIUM =
  'there is no Chromium: install one (on Debian: apt-get install chromium), or name its program in CHROMIUM';

/** Starts a browser without a window. */
export async function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    // Root may not use the sandbox; /dev/shm is tiny in many containers.
    args: ['--disable-dev-shm-usage', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
    // Without a locale, as where nobody logged in, it takes names of files for ASCII.
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
    timeout: 120_000,
  });
}
