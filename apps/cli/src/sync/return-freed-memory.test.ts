import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const MODULE = new URL('./return-freed-memory.ts', import.meta.url).href;
const FOLDER = fileURLToPath(new URL('.', import.meta.url));

/** Runs this in a process of its own; `returnFreed` and `said`, all that was logged, are there. */
function run(body: string, ...flags: string[]): { readonly output: string; readonly errors: string } {
  const code = `
    const { createFreedMemoryReturn } = await import(${JSON.stringify(MODULE)});
    const said = [];
    const note = (level) => (event, fields) => said.push([level, event, fields]);
    const returnFreed = createFreedMemoryReturn({
      debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error'),
    });
    const before = process.emitWarning;
    ${body}
  `;
  const words = [...flags, '--input-type=module', '--eval', code];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: FOLDER, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return { output: stdout, errors: stderr };
}

// Type stripping and the like may warn on some day; the interface may not.
const lines = (text: string) => text.split('\n').filter((line) => line !== '');

describe('memory that the C library holds for nobody', () => {
  it('is returned as often as wanted, without a word, and without a warning lost that is about anything else', () => {
    const { output, errors } = run(`
      returnFreed();
      returnFreed();
      const isKept = process.emitWarning === before;
      process.emitWarning('another one');
      console.log(JSON.stringify({ isKept, levels: [...new Set(said.map(([level]) => level))] }));
    `);
    const { isKept, levels } = JSON.parse(output);
    expect(isKept).toBe(true);
    // Said where there is no such function: nowhere with the GNU C library.
    expect(['[]', '["debug"]']).toContain(JSON.stringify(levels));
    expect(errors).not.toContain('FFI');
    expect(errors).toContain('another one');
  });

  it.runIf(hasGnuLibrary())('goes to the system', () => {
    const { output } = run(
      `
      const { readFileSync } = await import('node:fs');
      const resident = () => Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]);
      globalThis.gc();
      // Too small to be had from the system one by one; what lies behind keeps all of it from going back by itself.
      let blocks = Array.from({ length: 4000 }, () => Buffer.allocUnsafeSlow(16_000).fill(1));
      const last = blocks.at(-1);
      blocks = null;
      for (let round = 0; round < 3; round++) globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 100));
      const freed = resident();
      returnFreed();
      console.log(JSON.stringify({ pages: freed - resident(), last: last.length, said }));
    `,
      '--expose-gc',
    );
    const { pages, said } = JSON.parse(output);
    expect(said).toEqual([]);
    expect(pages).toBeGreaterThan(4096);
  });

  it('stays where it is without the interface, which the log tells once', () => {
    const { output, errors } = run(
      `
      for (let time = 0; time < 3; time++) returnFreed();
      console.log(JSON.stringify({ said, isKept: process.emitWarning === before }));
    `,
      '--no-experimental-ffi',
    );
    const { said, isKept } = JSON.parse(output);
    expect(said.map(([level, event]: string[]) => [level, event])).toEqual([
      ['debug', 'daemon.freed-memory-stays'],
    ]);
    expect(isKept).toBe(true);
    expect(lines(errors)).toEqual([]);
  });
});

function hasGnuLibrary(): boolean {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
}
