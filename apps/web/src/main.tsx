import './styles.css';
import { applyTheme } from './state/theme.ts';

// zod would otherwise compile its checks with `new Function`, which the policy refuses (and reports). It reads
// this when its first schema is made; hence the app is imported only afterwards.
(globalThis as { __zod_globalConfig?: { jitless: boolean } }).__zod_globalConfig = { jitless: true };
applyTheme();

const { startApp } = await import('./app/start-app.tsx');
startApp();
