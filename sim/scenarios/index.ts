import { type Scenario, type ScenarioInput, scenarioSchema } from '../real/scenario-schema.ts';
import { CRASHES } from './crashes.ts';
import { EDITORS } from './editors.ts';
import { FOLDERS } from './folders.ts';
import { HAZARDS } from './hazards.ts';
import { KINDS } from './kinds.ts';
import { MOVES } from './moves.ts';
import { NAMES } from './names.ts';
import { RACES } from './races.ts';

const FILES: readonly (readonly ScenarioInput[])[] = [
  RACES,
  MOVES,
  FOLDERS,
  NAMES,
  KINDS,
  EDITORS,
  HAZARDS,
  CRASHES,
];

/** Every scenario, checked against the schema. Throws for one that is not well-formed or has another's name. */
export function loadScenarios(): readonly Scenario[] {
  const scenarios = FILES.flat().map(parse);
  const names = new Set<string>();
  for (const { name } of scenarios) {
    if (names.has(name)) throw new Error(`two scenarios are called ${name}`);
    names.add(name);
  }
  return scenarios;
}

function parse(input: ScenarioInput): Scenario {
  const parsed = scenarioSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const [first, index] = issue?.path ?? [];
  const what = first === 'steps' ? JSON.stringify(input.steps[Number(index)]) : issue?.message;
  throw new Error(`scenario ${input.name}: ${issue?.path.join('.')} is not well-formed: ${what}`);
}
