import type { HtmlTagDescriptor, Plugin } from 'vite';

/**
 * Names the parts of the first screen in `index.html`, so that the browser fetches them beside the app's own instead of one
 * after the other, as it finds each in the one before.
 * @param sources ends of the paths of modules that are imported dynamically
 */
export function preloadFirstScreen(sources: readonly string[]): Plugin {
  return {
    name: 'cairn:preload-first-screen',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle = {} }) {
        const files = new Set<string>();
        const add = (fileName: string): void => {
          const chunk = bundle[fileName];
          if (chunk?.type !== 'chunk' || files.has(fileName)) return;
          files.add(fileName);
          for (const imported of chunk.imports) add(imported);
        };
        for (const source of sources) {
          const found = Object.values(bundle).find(
            (chunk) => chunk.type === 'chunk' && chunk.facadeModuleId?.endsWith(source) === true,
          );
          if (found === undefined) throw new Error(`there is no part of the app for "${source}"`);
          add(found.fileName);
        }
        return [...files]
          .filter((file) => !html.includes(file))
          .map(
            (file): HtmlTagDescriptor => ({
              tag: 'link',
              attrs: { rel: 'modulepreload', crossorigin: true, href: `/${file}` },
              injectTo: 'head',
            }),
          );
      },
    },
  };
}
