import './styles.css';
import { askFirstQuestions } from './api/first-questions.ts';
import { applyTheme } from './state/theme.ts';

// zod would otherwise compile its checks with `new Function`, which the policy refuses (and reports). Read at the first
// check, from the one object that zod itself may have made already.
const globals = globalThis as { __zod_globalConfig?: { jitless?: boolean } };
globals.__zod_globalConfig = Object.assign(globals.__zod_globalConfig ?? {}, { jitless: true });
applyTheme();
const answered = askFirstQuestions(location.pathname);

const { startApp } = await import('./app/start-app.tsx');
await startApp(answered);
