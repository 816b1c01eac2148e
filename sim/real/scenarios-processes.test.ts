import { testScenarios } from './replay-in-test.ts';

// Every scenario runs with processes by `npm run scenarios -- --stage processes`; these are the ones for every change.
testScenarios('processes', ({ inCi }) => inCi === true);
