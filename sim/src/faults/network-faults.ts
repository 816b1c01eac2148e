import type { Draw } from '../random.ts';
import type { LinkFaults } from '../world/link.ts';

/** Makes a connection bad in a few ways at once. Returns words for it. */
export function drawNetworkFaults(draw: Draw, faults: LinkFaults): string {
  const share = (): number => draw.pick([5, 20, 60]);
  const kinds: Readonly<Record<string, () => void>> = {
    'loses requests': () => {
      faults.lossBefore = share();
    },
    'loses answers': () => {
      faults.lossAfter = share();
    },
    'repeats requests': () => {
      faults.duplicates = share();
    },
    'answers too late': () => {
      faults.late = draw.pick([5, 20]);
    },
    'breaks answers': () => {
      faults.broken = share();
    },
    'has a captive portal': () => {
      faults.strangers = share();
    },
    'loses hints': () => {
      faults.hintsLost = draw.pick([50, 100]);
    },
    'delays hints': () => {
      faults.hintsLate = 50;
    },
    'is half open': () => {
      faults.halfOpen = true;
    },
  };
  const words: string[] = [];
  for (let left = 1 + draw.below(3); left > 0; left--) {
    const kind = draw.pick(Object.keys(kinds));
    kinds[kind]?.();
    words.push(kind);
  }
  return words.join(', ');
}
