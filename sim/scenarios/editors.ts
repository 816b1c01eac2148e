import type { ScenarioInput } from '../real/scenario-schema.ts';

type Step = ScenarioInput['steps'][number];

const WAYS = ['rename-over', 'vim', 'truncate', 'delete-create'] as const;

/** E. What editors and other programs do to files. */
export const EDITORS: readonly ScenarioInput[] = [
  ...WAYS.map(
    (way): ScenarioInput => ({
      name: `save-${way}`,
      shows: ['T107', 'T109', 'I16'],
      title: `Saving by "${way}" is one update of the same entry, live`,
      inCi: way === 'vim',
      start: { 'd/f.txt': 'one' },
      steps: [['A', 'save', 'd/f.txt', 'two', way], ['settle']],
      end: { tree: { 'd/f.txt': 'two' }, reachable: ['one'] },
    }),
  ),
  ...WAYS.map(
    (way): ScenarioInput => ({
      name: `save-asleep-${way}`,
      shows: ['T107', 'T109', 'I16'],
      title: `Saving by "${way}" while nobody looks is one new version of the same entry`,
      start: { 'd/f.txt': 'one' },
      steps: [['A', 'stop'], ['A', 'save', 'd/f.txt', 'two', way], ['A', 'start'], ['settle']],
      end: { tree: { 'd/f.txt': 'two' }, versions: { 'd/f.txt': 2 } },
    }),
  ),
  ...WAYS.map(
    (way): ScenarioInput => ({
      name: `save-against-edit-${way}`,
      shows: ['T107', 'P1', 'I17'],
      title: `Saving by "${way}" against an edit elsewhere: a conflict like any other`,
      start: { 'f.txt': 'base' },
      steps: [
        ['B', 'offline'],
        ['A', 'write', 'f.txt', 'of A'],
        ['settle', 'A'],
        ['B', 'save', 'f.txt', 'of B', way],
        ['B', 'online'],
        ['settle'],
      ],
      end: { tree: { 'f.txt': 'of A', 'f{B}.txt': 'of B' } },
    }),
  ),
  {
    name: 'save-against-rename',
    shows: ['T109', 'P3'],
    title: 'A renames, B saves by renaming over: the save lands under the new name, or both stay',
    start: { 'f.txt': 'base' },
    steps: [
      ['B', 'offline'],
      ['A', 'move', 'f.txt', 'g.txt'],
      ['settle', 'A'],
      ['B', 'save', 'f.txt', 'saved', 'rename-over'],
      ['B', 'online'],
      ['settle'],
    ],
    end: { tree: { 'g.txt': 'saved' }, reachable: ['base'] },
  },
  {
    name: 'backup-beside',
    shows: ['T107', 'I1'],
    title: 'An editor that keeps the old file beside: both contents, under both names',
    start: { f: 'one' },
    steps: [['A', 'save', 'f', 'two', 'backup'], ['settle']],
    end: { tree: { f: 'two', 'f.bak': 'one' } },
  },
  {
    name: 'office-locks',
    shows: ['T111', 'P10'],
    title: "LibreOffice's lock files stay where they are",
    start: { 'x.ods': 'table' },
    steps: [['A', 'write', '.~lock.x.ods#', 'lock'], ['A', 'write', 'x.ods', 'table 2'], ['settle']],
    end: { tree: { 'x.ods': 'table 2' }, only: { A: { '.~lock.x.ods#': 'lock' } } },
  },
  {
    name: 'partial-downloads',
    shows: ['T114', 'P10'],
    title: "A browser's unfinished download is not synced until it has its name",
    steps: [
      ['A', 'write', 'film.crdownload', 'half'],
      ['settle'],
      ['lacks', 'B', 'film.crdownload'],
      ['A', 'append', 'film.crdownload', ' and half'],
      ['A', 'move', 'film.crdownload', 'film'],
      ['settle'],
    ],
    end: { tree: { film: 'half and half' } },
  },
  {
    name: 'install-and-remove',
    shows: ['T116', 'I9'],
    title: 'Many small files come, go and come again',
    start: { keep: 'kept' },
    steps: [
      ['A', 'folder', 'modules'],
      ['A', 'many', 'modules/m', 60],
      ['A', 'remove-many', 'modules/m', 60],
      ['A', 'many', 'modules/n', 60],
      ['settle'],
      ['A', 'remove', 'modules'],
      ['settle'],
      ['A', 'folder', 'modules'],
      ['A', 'many', 'modules/m', 3],
      ['settle'],
    ],
    end: {
      tree: {
        keep: 'kept',
        'modules/m0': 'modules/m0',
        'modules/m1': 'modules/m1',
        'modules/m2': 'modules/m2',
      },
    },
  },
  {
    name: 'log-that-grows',
    shows: ['T022', 'T117', 'I6'],
    title: 'A file that grows line by line: in the end all of it, in order',
    start: { log: '' },
    steps: [
      ...Array.from({ length: 40 }, (_, line): Step => ['A', 'append', 'log', `line ${line}\n`]),
      ['settle'],
    ],
    end: { tree: { log: Array.from({ length: 40 }, (_, line) => `line ${line}\n`).join('') } },
  },
];
