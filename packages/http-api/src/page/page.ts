import { PAGE_STYLE } from './page-style.ts';

const UNBUILT = `
<h2>The web app</h2>
<p>It is not built yet. In Cairn's folder on the server:</p>
<pre>npm run build:web</pre>
<p>Then start the server again.</p>
`;

/**
 * The start page: what this is and the first three commands.
 * @param isUnbuilt the web app would be here, were it built
 */
export function renderPage(version: string, isUnbuilt: boolean): string {
  const shown = version.replace(/[^0-9A-Za-z.+-]/g, '');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Cairn</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
<h1>Cairn</h1>
<p>This server keeps your folders the same on every device you own.</p>

<h2>Make an account</h2>
<pre>cairn signup --server <span class="quiet">this address</span> --username ann</pre>

<h2>Keep a folder in sync</h2>
<pre>cairn sync ~/Documents</pre>

<h2>Or work with files directly</h2>
<pre>cairn upload report.pdf /docs/
cairn list /docs
cairn download /docs/report.pdf</pre>
${isUnbuilt ? UNBUILT : ''}
<p class="quiet">For programs: <a href="/docs/">the API and how to use it</a> ·
<a href="/api/v1/openapi.json">OpenAPI document</a> · <a href="/health">health</a></p>
<p class="quiet">Version ${shown}</p>
</main>
</body>
</html>
`;
}
