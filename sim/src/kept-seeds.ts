/** Seeds that once found something, with what it was. Every one is run by the tests for ever. */
export const KEPT_SEEDS: readonly (readonly [seed: number, found: string])[] = [
  [1493, 'a folder that could not be listed counted as known when its name was seen'],
  [889, '"in sync" was said for minutes while the network was silent'],
  [
    40032,
    'a file that was renamed on the server to make room, and never on this disk, counted as deleted here after a lost answer',
  ],
  [42172, 'the same, after the database was lost'],
  [103350, '"in sync" was said although the folder could not be listed'],
  [111505, '"in sync" was said although an item could not be looked at'],
  [100113, 'a link whose time could not be set was sent as the own one of its user'],
  [106658, 'a write through another name of a hard link was found a quarter of an hour later'],
  [3001717, '"in sync" was said although attributes that were set had changed another name of the file, too'],
  [5003315, 'a device that folds names waited for ever: the spelling of what was agreed differed'],
  [5003669, 'a conflict copy that got new bytes from the server before its new name was sent lost its mark'],
  [1238419099, '"in sync" was said over a disk that had just been mounted over the folder'],
  [1654488817, 'what could not be read in a folder was waited for although a file was in its place'],
  [
    1654489897,
    'what a user moved into an ignored folder came back beside it, and the check called that a copy',
  ],
  [70068449, 'an attribute that was set right before the engine moved its file was never sent'],
  [
    1262135703,
    'a commit of a copied device that had signed in again was taken for one of nobody (the check)',
  ],
  [536354310, 'a conflict copy lost its mark when its bytes were committed before its new name'],
  [
    367582620,
    'what was made in a folder right before the engine moved it was not looked for at the new place, and "in sync" said',
  ],
  [
    68777375,
    'beside a file that was held nothing counted as gone, and what had come in its place became a conflict copy',
  ],
  [
    1572602819,
    'a folder waited for ever for one in it to be emptied, whose file had its new place in a folder of that very name',
  ],
  [
    1757301787,
    'a device that had heard of its commit but not read the journal took files for deleted by a server from a backup',
  ],
  [
    2058279581,
    'what was made below a folder right before that was renamed in case was seen twice on a disk that folds names',
  ],
  [
    2011296355,
    'what moved into a folder right before the rules let that in was left alone by the rules of before, and came twice',
  ],
  [
    2011349364,
    'a user whose edit within one step of the clock was to show set its time to what it was, on a disk of such steps (the users)',
  ],
  [
    20261129158,
    'what was written to a file while the engine moved it was replaced by the bytes that the same plan fetched for its new place',
  ],
];
