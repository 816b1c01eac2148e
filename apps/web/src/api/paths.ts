/** Paths on the server look like `/docs/a.txt`; the root folder is `/`. */

export function joinPath(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`;
}

/** The folder that something is in; the root's is the root. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether `path` is `folder` or something in it, at any depth. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`);
}

/** The folders from the root down to `path`, without the root. */
export function pathSteps(path: string): readonly { readonly name: string; readonly path: string }[] {
  const names = path.split('/').filter((name) => name !== '');
  return names.map((name, index) => ({ name, path: `/${names.slice(0, index + 1).join('/')}` }));
}

/** `report.txt` → `report (2).txt`: a name for what may not be called as something else is. */
export function numberedName(name: string, number: number, isFolder: boolean): string {
  const dot = isFolder ? -1 : name.lastIndexOf('.');
  const cut = dot <= 0 || dot === name.length - 1 ? name.length : dot;
  return `${name.slice(0, cut)} (${number})${name.slice(cut)}`;
}

const FILES_ADDRESS = /^\/(?:files(?:\/(.*))?)?$/;

/** The folder that the Files page of an address shows; `null` for other addresses. */
export function folderOfAddress(pathname: string): string | null {
  const match = FILES_ADDRESS.exec(pathname);
  if (match === null) return null;
  try {
    return `/${decodeURIComponent(match[1] ?? '').replace(/^\/+|\/+$/g, '')}`;
  } catch {
    return null;
  }
}
