export { createBrowserPlatform } from './browser/browser-platform.ts';
export { chooseProfile } from './choose-profile.ts';
export { type ByteSource, cutContent, describeContent } from './cut-content.ts';
export type { ContentPlatform } from './platform.ts';
