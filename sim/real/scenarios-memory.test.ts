import { testScenarios } from './replay-in-test.ts';

testScenarios('memory');
