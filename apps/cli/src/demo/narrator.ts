import { type CliContext, paint, print } from '../context.ts';
import { showText } from '../output/text.ts';

/** Tells the story: calm, one thing at a time, and never faster than one can read. */
export interface Narrator {
  /** A new scene. */
  scene(title: string): Promise<void>;
  /** What is going to happen. */
  say(text: string): Promise<void>;
  /** What somebody does on a device. */
  act(device: string, text: string): void;
  /** What came of it, measured. */
  result(text: string): Promise<void>;
  /** Lines as a command printed them. */
  quote(lines: readonly string[]): void;
}

const MAX_WIDTH = 92;

/** @param isFast no pauses */
export function createNarrator(context: CliContext, isFast: boolean): Narrator {
  const width = Math.max(40, Math.min(MAX_WIDTH, (context.output.columns ?? 100) - 6));
  let scenes = 0;

  /** A moment to read. */
  async function rest(durationMs: number): Promise<void> {
    if (isFast) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, durationMs);
      context.signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
    context.signal.throwIfAborted();
  }

  return {
    async scene(title) {
      scenes++;
      print(context, '', paint(context, 'bold', ` ${scenes}  ${title}`));
      await rest(500);
    },
    async say(text) {
      for (const line of wrap(text, width)) print(context, paint(context, 'dim', `    ${line}`));
      await rest(Math.min(1600, 300 + text.length * 9));
    },
    act(device, text) {
      print(context, `    ${paint(context, 'blue', device.padEnd(8))}${text}`);
    },
    async result(text) {
      wrap(text, width - 2).forEach((line, index) => {
        print(context, `    ${index === 0 ? paint(context, 'green', '✓') : ' '} ${line}`);
      });
      await rest(Math.min(1800, 500 + text.length * 10));
    },
    quote(lines) {
      for (const line of lines) print(context, `      ${paint(context, 'dim', '│')} ${showText(line)}`);
    },
  };
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
