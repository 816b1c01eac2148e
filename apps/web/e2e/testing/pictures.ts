import type { Browser } from 'playwright-core';

interface Scene {
  readonly sky: readonly [string, string];
  readonly sun: readonly [x: number, y: number, color: string];
  readonly hills: readonly string[];
  readonly water?: string;
}

const SCENES: Readonly<Record<string, Scene>> = {
  dawn: {
    sky: ['#fbd3a6', '#7a8fc4'],
    sun: [380, 400, '#fff1c9'],
    hills: ['#8f86b5', '#5c5f94', '#383f6b'],
    water: '#6d7fb3',
  },
  noon: {
    sky: ['#d9eefb', '#4f9ad8'],
    sun: [900, 150, '#fffbe6'],
    hills: ['#9bb9c9', '#5f8f73', '#2f6145'],
  },
  sea: {
    sky: ['#e8f4f4', '#6fb6d6'],
    sun: [260, 170, '#fffdf0'],
    hills: ['#a9c3c9'],
    water: '#2f86a6',
  },
  dusk: {
    sky: ['#f7a072', '#3b2f63'],
    sun: [760, 470, '#ffe0b0'],
    hills: ['#6e3f66', '#452a53', '#22183a'],
  },
  winter: {
    sky: ['#f4f6fa', '#a8bdd6'],
    sun: [600, 210, '#ffffff'],
    hills: ['#dfe7f0', '#b3c4d6', '#7d93ac'],
  },
  autumn: {
    sky: ['#f6e7c8', '#c7a878'],
    sun: [300, 260, '#fff6da'],
    hills: ['#c9803d', '#9b4f24', '#5a2c18'],
  },
};

function ridge(level: number, color: string, seed: number): string {
  const points: string[] = [];
  for (let x = 0; x <= 1200; x += 40) {
    const height =
      Math.sin(x / 170 + seed * 2.1) * 60 + Math.sin(x / 61 + seed * 5) * 22 + Math.sin(x / 23 + seed) * 6;
    points.push(`${x},${Math.round(level - height)}`);
  }
  return `<polygon points="0,900 ${points.join(' ')} 1200,900" fill="${color}"/>`;
}

function drawScene({ sky, sun: [x, y, color], hills, water }: Scene): string {
  const ridges = hills.map((fill, index) => ridge(470 + index * 110, fill, index + 1)).join('');
  const lake =
    water === undefined ? '' : `<rect y="700" width="1200" height="200" fill="${water}" opacity=".92"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="900" viewBox="0 0 1200 900">
<defs><linearGradient id="sky" x1="0" y1="1" x2="0" y2="0"><stop offset=".3" stop-color="${sky[0]}"/><stop offset="1" stop-color="${sky[1]}"/></linearGradient>
<radialGradient id="sun"><stop offset=".3" stop-color="${color}"/><stop offset="1" stop-color="${color}" stop-opacity="0"/></radialGradient></defs>
<rect width="1200" height="900" fill="url(#sky)"/><circle cx="${x}" cy="${y}" r="150" fill="url(#sun)"/>${ridges}${lake}</svg>`;
}

/** Landscapes as JPEG, by name, drawn by the browser. */
export async function drawPictures(browser: Browser): Promise<Readonly<Record<string, Buffer>>> {
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  const pictures: Record<string, Buffer> = {};
  for (const [name, scene] of Object.entries(SCENES)) {
    await page.setContent(`<body style="margin:0">${drawScene(scene)}</body>`);
    pictures[name] = await page.screenshot({ type: 'jpeg', quality: 88 });
  }
  await page.close();
  return pictures;
}
